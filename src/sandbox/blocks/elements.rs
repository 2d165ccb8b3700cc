//! Interactive elements and what they are made of.

use serde_json::Value;

use super::check::Check;

/// Where an element stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Actions,
    Accessory,
    Input,
    ContextActions,
}

/// Fields that most elements have.
const COMMON: [&str; 5] = ["type", "action_id", "confirm", "focus_on_load", "placeholder"];

impl Check {
    pub(super) fn element(&mut self, element: &Value, at: &str, place: Place) {
        let kind = element["type"].as_str().unwrap_or_default();
        if !may_stand(kind, place) {
            return self.wrong(at, &format!("unsupported element: {kind}"));
        }
        self.limit(&element["action_id"], &format!("{at}/action_id"), 1, 255);
        self.maybe_plain(element, "placeholder", at, 150);
        if !element["confirm"].is_null() {
            self.confirm(&element["confirm"], &format!("{at}/confirm"));
        }
        match kind {
            "image" => {
                self.keys(element, at, &["type", "image_url", "slack_file", "alt_text"]);
                self.image(element, at);
            }
            "button" => self.button(element, at),
            "icon_button" => self.icon_button(element, at),
            "feedback_buttons" => self.feedback(element, at),
            "static_select" | "multi_static_select" => self.static_select(element, at),
            "overflow" => {
                self.fields(element, at, &["options"]);
                self.options(&element["options"], &format!("{at}/options"), 5, true);
            }
            "checkboxes" | "radio_buttons" => {
                self.fields(element, at, &["options", "initial_options", "initial_option"]);
                self.options(&element["options"], &format!("{at}/options"), 10, false);
            }
            "datepicker" => {
                self.fields(element, at, &["initial_date"]);
                self.form(&element["initial_date"], &format!("{at}/initial_date"), "0000-00-00");
            }
            "timepicker" => {
                self.fields(element, at, &["initial_time", "timezone"]);
                self.form(&element["initial_time"], &format!("{at}/initial_time"), "00:00");
            }
            "datetimepicker" => {
                self.fields(element, at, &["initial_date_time"]);
                let at = format!("{at}/initial_date_time");
                self.number(&element["initial_date_time"], &at, 1_000_000_000, 9_999_999_999);
            }
            "plain_text_input" => self.typed(element, at),
            _ => self.picker(element, at),
        }
    }

    fn fields(&mut self, element: &Value, at: &str, also: &[&str]) {
        self.keys(element, at, &[&COMMON, also].concat());
    }

    fn button(&mut self, button: &Value, at: &str) {
        let known = [
            "type",
            "text",
            "action_id",
            "value",
            "url",
            "style",
            "confirm",
            "accessibility_label",
            "visible_to_user_ids",
            "agent_prompt",
            "agent_prompt_display",
        ];
        self.keys(button, at, &known);
        self.plain(&button["text"], &format!("{at}/text"), 75);
        self.limit(&button["value"], &format!("{at}/value"), 0, 2000);
        self.limit(&button["url"], &format!("{at}/url"), 1, 3000);
        self.limit(&button["accessibility_label"], &format!("{at}/accessibility_label"), 1, 75);
        self.limit(&button["agent_prompt"], &format!("{at}/agent_prompt"), 1, 4000);
        self.one_of(&button["style"], &format!("{at}/style"), &["primary", "danger"]);
    }

    fn icon_button(&mut self, button: &Value, at: &str) {
        let known = ["text", "icon", "value", "accessibility_label", "visible_to_user_ids"];
        self.fields(button, at, &known);
        self.plain(&button["text"], &format!("{at}/text"), 75);
        self.needed(&button["icon"], &format!("{at}/icon"), 75);
        self.one_of(&button["icon"], &format!("{at}/icon"), &["trash"]);
        self.limit(&button["value"], &format!("{at}/value"), 0, 2000);
    }

    fn feedback(&mut self, element: &Value, at: &str) {
        self.keys(element, at, &["type", "action_id", "positive_button", "negative_button"]);
        for key in ["positive_button", "negative_button"] {
            let (button, at) = (&element[key], format!("{at}/{key}"));
            self.keys(button, &at, &["text", "value", "accessibility_label"]);
            self.plain(&button["text"], &format!("{at}/text"), 75);
            self.needed(&button["value"], &format!("{at}/value"), 2000);
            self.limit(&button["accessibility_label"], &format!("{at}/accessibility_label"), 1, 75);
        }
    }

    pub(super) fn confirm(&mut self, confirm: &Value, at: &str) {
        self.keys(confirm, at, &["title", "text", "confirm", "deny", "style"]);
        self.maybe_plain(confirm, "title", at, 100);
        self.text(&confirm["text"], &format!("{at}/text"), 300);
        self.maybe_plain(confirm, "confirm", at, 30);
        self.maybe_plain(confirm, "deny", at, 30);
        self.one_of(&confirm["style"], &format!("{at}/style"), &["primary", "danger"]);
    }

    fn static_select(&mut self, select: &Value, at: &str) {
        let also =
            ["options", "option_groups", "initial_option", "initial_options", "max_selected_items"];
        self.fields(select, at, &also);
        if select["options"].is_null() == select["option_groups"].is_null() {
            return self.wrong(at, "must have options or option_groups");
        }
        if select["option_groups"].is_null() {
            return self.options(&select["options"], &format!("{at}/options"), 100, true);
        }
        let groups = format!("{at}/option_groups");
        for (nth, group) in self.items(&select["option_groups"], &groups, 1, 100).iter().enumerate()
        {
            let at = format!("{groups}/{nth}");
            self.keys(group, &at, &["label", "options"]);
            self.plain(&group["label"], &format!("{at}/label"), 75);
            self.options(&group["options"], &format!("{at}/options"), 100, true);
        }
    }

    fn options(&mut self, options: &Value, at: &str, most: usize, plain: bool) {
        for (nth, option) in self.items(options, at, 1, most).iter().enumerate() {
            let at = format!("{at}/{nth}");
            self.keys(option, &at, &["text", "value", "description", "url"]);
            let parts = [("text", true), ("description", !option["description"].is_null())];
            for (key, there) in parts {
                match (there, plain) {
                    (false, _) => {}
                    (true, true) => self.plain(&option[key], &format!("{at}/{key}"), 75),
                    (true, false) => self.text(&option[key], &format!("{at}/{key}"), 75),
                }
            }
            self.needed(&option["value"], &format!("{at}/value"), 150);
            self.limit(&option["url"], &format!("{at}/url"), 1, 3000);
        }
    }

    fn typed(&mut self, input: &Value, at: &str) {
        let also =
            ["initial_value", "multiline", "min_length", "max_length", "dispatch_action_config"];
        self.fields(input, at, &also);
        self.number(&input["min_length"], &format!("{at}/min_length"), 0, 3000);
        self.number(&input["max_length"], &format!("{at}/max_length"), 1, 3000);
        self.limit(&input["initial_value"], &format!("{at}/initial_value"), 0, 3000);
    }

    /// Pickers of people and channels, and the rarer inputs.
    fn picker(&mut self, element: &Value, at: &str) {
        let also = [
            "initial_user",
            "initial_users",
            "initial_conversation",
            "initial_conversations",
            "initial_channel",
            "initial_channels",
            "initial_option",
            "initial_options",
            "initial_value",
            "default_to_current_conversation",
            "response_url_enabled",
            "filter",
            "min_query_length",
            "max_selected_items",
            "dispatch_action_config",
            "is_decimal_allowed",
            "min_value",
            "max_value",
            "filetypes",
            "max_files",
        ];
        self.fields(element, at, &also);
    }
}

fn may_stand(kind: &str, place: Place) -> bool {
    match kind {
        "icon_button" | "feedback_buttons" => place == Place::ContextActions,
        "image" => place == Place::Accessory,
        "button" | "overflow" => matches!(place, Place::Actions | Place::Accessory),
        "datetimepicker" => matches!(place, Place::Actions | Place::Input),
        "plain_text_input" | "email_text_input" | "url_text_input" | "number_input"
        | "file_input" => place == Place::Input,
        "rich_text_input" => matches!(place, Place::Actions | Place::Input),
        "static_select"
        | "multi_static_select"
        | "users_select"
        | "multi_users_select"
        | "conversations_select"
        | "multi_conversations_select"
        | "channels_select"
        | "multi_channels_select"
        | "external_select"
        | "multi_external_select"
        | "checkboxes"
        | "radio_buttons"
        | "datepicker"
        | "timepicker" => place != Place::ContextActions,
        _ => false,
    }
}
