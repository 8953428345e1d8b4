//! A soft deletion is taken back whole (v2 §2.6, §8 no. 24).

use super::*;

/// How often, each time with other things there.
const TRIES: u64 = 20;
/// Rows that one transaction drops.
const DROPPED_AT_ONCE: usize = 100;

/// What a soft deletion asks for.
fn soft() -> Kind {
    let leaver = Leaver { id: id(AMY), was_there: true, heir: id("delete-user-x"), hash: String::new() };
    Kind::DeleteUsers(Box::new(DeleteUsers {
        users: vec![leaver],
        user: Mode::Soft,
        messages: None,
        conversations: None,
        files: false,
        calls: None,
    }))
}

/// Amy's own row without when it last changed.
fn timeless(rows: Vec<(Vec<u8>, Vec<u8>)>) -> Vec<(Vec<u8>, Vec<u8>)> {
    let own = USER.key(1, &AMY.to_owned());
    let of = |(key, value): (Vec<u8>, Vec<u8>)| match key == own {
        true => {
            let user = User { updated_at: Pond::at(0), ..USER.decode(&key, &value).unwrap() };
            (key, user.encode())
        }
        false => (key, value),
    };
    rows.into_iter().map(of).collect()
}

/// Drops about half of the rows, never those of users.
async fn drop_some(pond: &Pond, dice: &mut u64) {
    let mut going = Vec::new();
    for (key, _) in rows(pond).await {
        *dice ^= *dice << 13;
        *dice ^= *dice >> 7;
        *dice ^= *dice << 17;
        let is_user = split(&key).is_some_and(|(_, tag, _)| tag == USER.tag());
        if !is_user && dice.is_multiple_of(2) {
            going.push(key);
        }
    }
    for keys in going.chunks(DROPPED_AT_ONCE) {
        let run = pond.app.write(async |tx| {
            keys.iter().for_each(|key| tx.delete(key.clone()));
            Ok(())
        });
        run.await.unwrap();
    }
}

#[tokio::test]
async fn a_soft_deletion_that_is_taken_back_leaves_every_row_as_it_was_whatever_was_there() {
    let mut dice: u64 = 0x2545_f491_4f6c_dd1d;
    for attempt in 0..TRIES {
        let pond = Pond::new();
        plant(&pond).await;
        plant_feeds_v3(&pond).await;
        if attempt > 0 {
            drop_some(&pond, &mut dice).await;
        }
        let before = timeless(rows(&pond).await);
        let now = Pond::at(1);
        let run = pond.app.write(async |tx| users::standing::delete(tx, &id(AMY), "{}", now).await);
        run.await.unwrap();
        done(&pond, soft(), false).await;
        assert!(users::load(&mut pond.app.snapshot(), &id(AMY)).await.is_err(), "deleted means out of sight");
        assert_ne!(timeless(rows(&pond).await), before);
        let run = pond.app.write(async |tx| users::standing::restore(tx, &id(AMY), Pond::at(9)).await);
        run.await.unwrap();
        assert!(timeless(rows(&pond).await) == before, "attempt {attempt}: another row than before");
    }
}
