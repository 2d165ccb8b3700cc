//! Which installation of our app a delivery is for, and whose account it speaks of.

use crate::approval::SlackUser;
use crate::base::WorkspaceId;

/// Which installation of our app a delivery is for. Never says where the person belongs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installation {
    pub team: Option<String>,
    pub enterprise: Option<String>,
    /// Whether the whole organisation installed the app, not one workspace.
    pub org_wide: bool,
}

impl Installation {
    /// `team` may name an organisation (`E…`), as views of org-wide installations do.
    pub(super) fn new(team: Option<String>, enterprise: Option<String>, org_wide: bool) -> Self {
        match team {
            Some(id) if is_enterprise(&id) => {
                Self { team: None, enterprise: enterprise.or(Some(id)), org_wide }
            }
            team => Self { team, enterprise, org_wide },
        }
    }

    /// The tenant: the organisation for an org-wide installation, the team otherwise.
    pub fn workspace(&self) -> Option<WorkspaceId> {
        let id = if self.org_wide { &self.enterprise } else { &self.team };
        id.as_ref().map(WorkspaceId::existing)
    }

    /// An account in the words of the delivery. The organisation is only a claim of the person's
    /// own when their team is the installed one; the directory has the last word.
    pub(super) fn user(&self, user: String, team: Option<String>) -> Option<SlackUser> {
        let team = team.or_else(|| self.team.clone())?;
        let enterprise = if is_enterprise(&team) {
            Some(team.clone())
        } else if self.org_wide || self.team.as_ref() == Some(&team) {
            self.enterprise.clone()
        } else {
            None
        };
        Some(SlackUser { team, user, enterprise })
    }
}

fn is_enterprise(id: &str) -> bool {
    id.starts_with('E')
}
