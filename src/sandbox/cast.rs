//! Who is in the workspace, and where: data that a test may change.

use std::collections::BTreeSet;

use serde_json::{Value, json};

/// The installed workspace, and our app in it.
pub(super) const TEAM: &str = "T0DEMO";
pub(super) const PARTNER: &str = "T0PARTNER1";
pub(super) const BOT_USER: &str = "U0BOT";
pub(super) const BOT_ID: &str = "B0BOT";
pub(super) const APP: &str = "A0COUNTERSIGN";

/// What somebody is to the workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Member,
    Guest,
    /// From another company, through a shared channel.
    Outsider,
    Deactivated,
    Bot,
}

#[derive(Clone, Debug)]
pub struct Person {
    pub id: String,
    pub name: String,
    pub title: String,
    pub kind: Kind,
}

#[derive(Clone, Debug)]
pub struct Channel {
    pub id: String,
    /// Without the `#`; for a direct message the other person's id.
    pub name: String,
    pub private: bool,
    pub direct: bool,
    pub shared: bool,
    pub archived: bool,
    /// The code that whatever the bot writes here is answered with.
    pub refuses: Option<&'static str>,
    pub members: BTreeSet<String>,
}

/// The people, the channels and the user groups.
#[derive(Clone, Debug)]
pub struct Cast {
    pub people: Vec<Person>,
    pub channels: Vec<Channel>,
    /// User group id and its members.
    pub groups: Vec<(String, Vec<String>)>,
}

impl Cast {
    /// The small company of the stories.
    pub fn acme() -> Self {
        let person = |name: &str, title: &str, kind| Person {
            id: format!("U0{}", name.to_uppercase()),
            name: format!("{}{}", name[..1].to_uppercase(), &name[1..]),
            title: title.to_owned(),
            kind,
        };
        let mut people = vec![
            person("mia", "support lead", Kind::Member),
            person("jonas", "finance", Kind::Member),
            person("lena", "finance", Kind::Member),
            person("priya", "head of finance operations", Kind::Member),
            person("vera", "CFO", Kind::Member),
            person("sam", "platform engineer", Kind::Member),
            person("noor", "developer", Kind::Member),
            person("gus", "guest", Kind::Guest),
            person("erik", "from Partner Ltd", Kind::Outsider),
            person("olga", "left in spring", Kind::Deactivated),
            person("deploybot", "another app", Kind::Bot),
        ];
        people.push(Person {
            id: BOT_USER.to_owned(),
            name: "Countersign".to_owned(),
            title: "the approval desk".to_owned(),
            kind: Kind::Bot,
        });
        let everybody: BTreeSet<String> = people
            .iter()
            .filter(|person| matches!(person.kind, Kind::Member | Kind::Guest | Kind::Bot))
            .map(|person| person.id.clone())
            .collect();
        let channel = |id: &str, name: &str, private, shared| Channel {
            id: id.to_owned(),
            name: name.to_owned(),
            private,
            direct: false,
            shared,
            archived: false,
            refuses: None,
            members: everybody.clone(),
        };
        let mut channels = vec![
            channel("C0SUPPORT1", "support", false, false),
            channel("C0APPROVAL", "approvals", false, false),
            channel("C0MANAGERS", "managers", true, false),
            channel("C0PARTNERS", "partners", false, true),
        ];
        channels[3].members.insert("U0ERIK".to_owned());
        let direct =
            people.iter().filter(|person| person.kind != Kind::Bot).map(|person| Channel {
                id: format!("D0{:0<8}", person.id.trim_start_matches("U0")),
                name: person.id.clone(),
                private: true,
                direct: true,
                shared: false,
                archived: false,
                refuses: None,
                members: [person.id.clone(), BOT_USER.to_owned()].into(),
            });
        channels.extend(direct);
        let groups =
            vec![("S0MANAGERS".to_owned(), vec!["U0PRIYA".to_owned(), "U0VERA".to_owned()])];
        Self { people, channels, groups }
    }

    pub fn person(&self, id: &str) -> Option<&Person> {
        self.people.iter().find(|person| person.id == id)
    }

    pub fn person_mut(&mut self, id: &str) -> Option<&mut Person> {
        self.people.iter_mut().find(|person| person.id == id)
    }

    /// By id, or by name with or without the `#`.
    pub fn channel(&self, named: &str) -> Option<&Channel> {
        let name = named.trim_start_matches('#');
        self.channels.iter().find(|channel| channel.id == named || channel.name == name)
    }

    pub fn channel_mut(&mut self, named: &str) -> Option<&mut Channel> {
        let name = named.trim_start_matches('#').to_owned();
        self.channels.iter_mut().find(|channel| channel.id == named || channel.name == name)
    }

    /// The direct messages between the bot and somebody.
    pub fn direct(&self, user: &str) -> Option<&Channel> {
        self.channels.iter().find(|channel| channel.direct && channel.name == user)
    }
}

impl Person {
    pub(super) fn team(&self) -> &'static str {
        if self.kind == Kind::Outsider { PARTNER } else { TEAM }
    }

    /// The user object of the Web API.
    pub(super) fn user_object(&self) -> Value {
        json!({
            "id": self.id, "team_id": self.team(), "name": self.name.to_lowercase(),
            "real_name": self.name, "deleted": self.kind == Kind::Deactivated,
            "is_bot": self.kind == Kind::Bot, "is_app_user": false,
            "is_restricted": self.kind == Kind::Guest, "is_ultra_restricted": false,
            "is_stranger": false, "is_email_confirmed": true, "is_admin": false, "tz": "UTC",
            "profile": {
                "real_name": self.name, "display_name": self.name, "title": self.title,
                "email": format!("{}@example.com", self.name.to_lowercase()),
            },
        })
    }
}

impl Channel {
    /// The conversation object of the Web API.
    pub(super) fn object(&self) -> Value {
        let mut object = json!({
            "id": self.id, "is_channel": !self.private, "is_group": self.private && !self.direct,
            "is_im": self.direct, "is_mpim": false, "is_private": self.private,
            "is_archived": self.archived, "is_member": self.members.contains(BOT_USER),
            "is_shared": self.shared, "is_ext_shared": self.shared, "is_org_shared": false,
            "is_pending_ext_shared": false,
        });
        let key = if self.direct { "user" } else { "name" };
        object[key] = json!(self.name);
        object
    }
}
