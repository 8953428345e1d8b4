use super::*;
use crate::{
    chat::pond::{Pond, user},
    exports::sets::{FeedSet, UserSet, of_users},
    keyspace::{AUTHORED, At, VERSION},
};

/// Rows that a page has at most: that of a scan.
const PAGE_MAX: usize = 256;

#[tokio::test]
async fn whatever_there_is_of_a_user_comes_in_pages_each_row_once_and_then_nothing() {
    let pond = Pond::new().await;
    let now = pond.tick();
    for first in (0..900).step_by(300) {
        pond.write(async |tx| {
            let tenant = tx.tenant();
            for n in first..first + 300 {
                let id = format!("gone{n}");
                AUTHORED.put(tx, tenant, &("amy".into(), At(now), id.clone()), &());
                let version = crate::chat::messages::Version {
                    by: Some(user("amy")),
                    text: format!("said {n}"),
                    attachments: Vec::new(),
                    custom: "{}".into(),
                    is_deleted: false,
                };
                // The first message was changed so often that its versions take several pages.
                let of = if n < 600 { "gone0".to_owned() } else { id };
                VERSION.put(tx, tenant, &(of, At(ids::Timestamp::from_micros(n))), &version);
            }
            Ok(())
        })
        .await;
    }
    let mut tx = pond.app.snapshot();
    let (mut walk, mut told, mut pages) = (Walk::default(), Vec::new(), 0);
    while let Some(rows) = user_page(&mut tx, &user("amy"), UserSet::Versions, &mut walk).await.unwrap() {
        assert!(rows.len() <= PAGE_MAX + 50, "{}", rows.len());
        told.extend(rows.into_iter().map(|row| match row {
            UserRow::Version(_, at, _) => at,
            other => panic!("{other:?}"),
        }));
        pages += 1;
    }
    assert!(pages > 3, "{pages}");
    told.sort();
    let expected: Vec<_> = (0..900).map(ids::Timestamp::from_micros).collect();
    assert_eq!(told, expected);
    assert!(
        user_page(&mut tx, &user("amy"), UserSet::Versions, &mut walk).await.unwrap().is_none(),
        "it stays at its end"
    );
}

#[tokio::test]
async fn every_set_of_a_user_of_whom_nothing_is_known_is_empty_and_ends() {
    let pond = Pond::new().await;
    let (mut tx, nobody) = (pond.app.snapshot(), user("nobody"));
    for set in of_users() {
        let mut walk = Walk::default();
        while let Some(rows) = user_page(&mut tx, &nobody, set, &mut walk).await.unwrap() {
            assert!(rows.is_empty(), "{set:?}");
        }
    }
    for set in FeedSet::DOCUMENTED {
        let mut walk = Walk::default();
        while let Some(rows) = feed_page(&mut tx, &nobody, set, &mut walk).await.unwrap() {
            assert!(rows.is_empty(), "{set:?}");
        }
    }
}
