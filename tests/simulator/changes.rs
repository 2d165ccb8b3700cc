//! What others change in Slack for a while: messages go, channels close, we are thrown out of one, or
//! the app is taken off the workspace altogether.

use crate::counts;
use crate::simulation::Simulation;
use crate::slack::CHANNELS;

impl Simulation {
    pub fn something_changes(&mut self) {
        let choice = self.chance.below(9);
        let mut slack = self.outside.slack.look();
        let what = match choice {
            0 => {
                let ours = slack.messages.iter_mut().filter(|message| message.from_bot);
                let mut ours: Vec<_> = ours.filter(|message| !message.deleted).collect();
                let at = self.chance.below(ours.len());
                let Some(message) = ours.get_mut(at) else { return };
                message.deleted = true;
                "slack: a message is deleted"
            }
            1 if self.weather.slack > 0 => {
                let (channel, _) = CHANNELS[self.chance.below(2)];
                slack.archived.insert(channel.to_owned());
                counts::ARCHIVED
            }
            2 if self.weather.slack > 0 => {
                let (channel, _) = CHANNELS[self.chance.below(2)];
                slack.outside.insert(channel.to_owned());
                counts::THROWN_OUT
            }
            3 if self.weather.slack > 0 && self.chance.permille(400) => {
                slack.uninstalled = true;
                counts::UNINSTALLED
            }
            1..=6 => {
                slack.set_right();
                "slack: we are installed, in all channels, and all are open"
            }
            7 => {
                let user = ["U0000JONA", "U0000LENA", "U000PRIYA"][self.chance.below(3)];
                slack.away.insert(user.to_owned());
                "slack: somebody is deactivated"
            }
            _ => {
                slack.away.clear();
                "slack: everybody is active"
            }
        };
        drop(slack);
        self.counts.add(what);
        self.say(what.to_owned());
    }
}
