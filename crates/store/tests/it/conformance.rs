//! smoke
use crate::support::*;
use store::*;

#[tokio::test(flavor = "multi_thread")]
async fn smoke() {
    for kind in [Kind::Memory, Kind::Embedded] {
        let pond = kind.pond();
        put(&pond, "a", "1").await;
        assert_eq!(get(&pond, "a").await.as_deref(), Some(&b"1"[..]));
        let mut tasks = Vec::new();
        for _ in 0..16 {
            let store = pond.store.clone();
            let key = b"a".to_vec();
            tasks.push(tokio::spawn(async move {
                store
                    .write(async |tx: &mut Transaction| {
                        let old = tx.get(&key).await?.unwrap();
                        let n: u32 = std::str::from_utf8(&old).unwrap().parse().unwrap();
                        tx.put(key.clone(), (n + 1).to_string().into_bytes());
                        tx.append(b"log".to_vec(), vec![1]);
                        Ok::<_, Error>(n)
                    })
                    .await
            }));
            let store = pond.store.clone();
            tasks.push(tokio::spawn(async move {
                store
                    .write(async |tx| {
                        tx.add(b"c".to_vec(), 1);
                        Ok::<_, Error>(0)
                    })
                    .await
            }));
        }
        for t in tasks {
            t.await.unwrap().unwrap();
        }
        assert_eq!(get(&pond, "a").await.as_deref(), Some(&b"17"[..]));
        assert_eq!(get(&pond, "c").await.as_deref(), Some(&16i64.to_le_bytes()[..]));
        if kind as u8 == 1 {
            pond.close();
            let again = open(pond.dir.as_ref().unwrap().path());
            assert_eq!(again.published(), pond.published());
            assert_eq!(get(&again, "a").await.as_deref(), Some(&b"17"[..]));
        }
    }
}
