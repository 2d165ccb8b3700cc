//! The primary falls, in each of the ways it can, and its synchronous standby is promoted: clicks are
//! taken again within 15 seconds, none that was acknowledged is lost, and nothing is paid twice.

pub mod address;
pub mod server;
mod waiting_commits;

use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use tempfile::TempDir;
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::Instant;

use crate::office::{Office, sooner_or_later};
use crate::reckoning;
use crate::traffic::Traffic;
use address::{Address, Established};
use server::Server;

/// How soon clicks have to be taken again, counted from the fall of the primary.
const SOON: Duration = Duration::from_secs(15);
/// How long it takes whoever watches the primary to notice.
const NOTICED: Duration = Duration::from_secs(1);
/// Times are measured here, so the stories are told one after the other.
pub static ALONE: Mutex<()> = Mutex::const_new(());

/// A primary, its standby, two desks that know them by one address, and people.
struct Scene {
    primary: Server,
    standby: Server,
    address: Address,
    office: Office,
    traffic: Traffic,
    _alone: MutexGuard<'static, ()>,
    _folder: TempDir,
}

/// The servers may have to run as somebody else than this test.
pub fn a_folder_for_everybody() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
    folder
}

impl Scene {
    async fn opens() -> Self {
        let _alone = ALONE.lock().await;
        sqlx::any::install_default_drivers();
        let _folder = a_folder_for_everybody();
        let primary = Server::founded(_folder.path()).await;
        let standby = primary.gets_a_standby(_folder.path()).await;
        let address = Address::leading_to(primary.port).await;
        let office = Office::opens(&address.store(), 2).await;
        let traffic = Traffic::begins(&office.slack);
        let scene = Self { primary, standby, address, office, traffic, _alone, _folder };
        scene.office.payments_go_on(4).await;
        scene
    }

    /// What an operator does, or has done for them: the standby becomes the primary, and then the
    /// address leads there.
    async fn standby_takes_over(&self, established: Established) {
        tokio::time::sleep(NOTICED).await;
        self.standby.is_promoted().await;
        self.address.moves_to(self.standby.port, established);
    }

    /// Clicks are taken again, soon after the fall; and so is everything else.
    async fn goes_on(&self, what: &str, fell: Instant) {
        let moved = Instant::now();
        let again = self.traffic.presses.first_since(moved).await - fell;
        println!(
            "{what}: clicks were taken again {:.1} s after the fall, {:.1} s after the address moved",
            again.as_secs_f64(),
            (again - (moved - fell)).as_secs_f64(),
        );
        assert!(again < SOON, "{what}: not before {again:?}");
        self.office.payments_go_on(4).await;
    }

    async fn ends(self) {
        self.traffic.nobody_writes_any_more();
        let mut desk = self.standby.asks().await.unwrap();
        reckoning::nothing_is_lost_or_doubled(&self.office, &mut desk).await;
        self.traffic.ends().await;
        let panics = self.office.logs();
        assert!(!panics.contains("panicked"), "{panics}");
        self.office.closes().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "it needs Postgres's programs: scripts/test names them"]
async fn the_primary_is_stopped_in_good_order() {
    let mut scene = Scene::opens().await;
    let fell = Instant::now();
    scene.primary.stops().await;
    scene.standby_takes_over(Established::Cut).await;
    scene.goes_on("stopped", fell).await;
    scene.ends().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "it needs Postgres's programs: scripts/test names them"]
async fn the_primary_is_killed() {
    let mut scene = Scene::opens().await;
    let fell = Instant::now();
    scene.primary.dies().await;
    scene.standby_takes_over(Established::Cut).await;
    scene.goes_on("killed", fell).await;
    scene.ends().await;
}

/// Nobody cuts the connections to it, so the desks have to notice by themselves. Later it wakes up and
/// takes itself for the primary, and for a moment the address even leads to it again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "it needs Postgres's programs: scripts/test names them"]
async fn the_primary_stands_still_and_wakes_up_when_another_has_taken_over() {
    let scene = Scene::opens().await;
    let fell = Instant::now();
    scene.primary.is_paused();
    scene.standby_takes_over(Established::Kept).await;
    scene.goes_on("paused", fell).await;

    scene.primary.wakes_up();
    scene.office.payments_go_on(2).await;
    let write = scene.primary.says("UPDATE desk_turn SET one = one");
    let kept = tokio::time::timeout(2 * NOTICED, write).await;
    assert!(kept.is_err(), "the old primary acknowledges what its standby does not have");
    scene.address.moves_to(scene.primary.port, Established::Cut);
    let misled = Instant::now();
    sooner_or_later("clicks are refused there", async || {
        scene.traffic.presses.refused_since(misled) >= 6
    })
    .await;
    assert_eq!(scene.traffic.presses.acknowledged_since(misled), 0, "by the old primary");
    let back = Instant::now();
    scene.address.moves_to(scene.standby.port, Established::Cut);
    scene.goes_on("misled to the old one", back).await;
    scene.ends().await;
}

/// It was only paused for a moment, and whoever is connected to it still hears what it knew.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "it needs Postgres's programs: scripts/test names them"]
async fn the_primary_wakes_up_as_soon_as_another_has_taken_over() {
    let scene = Scene::opens().await;
    let fell = Instant::now();
    scene.primary.is_paused();
    scene.standby_takes_over(Established::Kept).await;
    scene.primary.wakes_up();
    scene.goes_on("paused for a moment", fell).await;
    scene.office.payments_go_on(4).await;
    scene.ends().await;
}
