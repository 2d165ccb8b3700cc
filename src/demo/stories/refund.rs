//! Scenario 2: a refund over the limit; two clicks at once pay once.

use super::{Tale, promise};

pub(super) async fn play(tale: &mut Tale) -> anyhow::Result<()> {
    let company = &tale.world.company;
    let small = tale.writes("mia", "refund ch_7 20.00 EUR, late parcel").await?;
    tale.say(&format!("  in the thread: {}", tale.last_reply("mia", &small)?));
    promise!(company.payments("refund").await? == 1, "a refund within the limit needs nobody");

    let asked = tale.writes("mia", "refund ch_1042 640.00 EUR, customer was charged twice").await?;
    tale.say(&format!("  in the thread: {}", tale.last_reply("mia", &asked)?));
    let card = tale.card("jonas", "#approvals")?;
    tale.say(&format!("#approvals shows:\n{}", card.text));
    promise!(company.payments("refund").await? == 1, "nothing may run before the approval");

    let told = tale.decides("mia", &card, "Approve", "it is fine").await?;
    promise!(!told.is_empty(), "the requester must be told that her own approval does not count");
    promise!(company.payments("refund").await? == 1, "nobody approves their own request");

    tale.decides("jonas", &card, "Approve", "checked with the bank").await?;
    tale.say(&format!("  in the thread: {}", tale.last_reply("mia", &asked)?));
    let told = tale.decides("lena", &card, "Approve", "me too").await?;
    promise!(told.join(" ").contains("Jonas"), "who comes second is told who decided: {told:?}");
    promise!(company.payments("refund").await? == 2, "an approved refund is paid once");

    let ask = tale.writes("mia", "refund ch_9 75.00 EUR, wrong size").await?;
    let card = tale.card("lena", "#approvals")?;
    tale.decides("lena", &card, "Reject…", "it is on its way back already").await?;
    tale.say(&format!("  in the thread: {}", tale.last_reply("mia", &ask)?));
    promise!(company.payments("refund").await? == 2, "a no is final");
    Ok(())
}
