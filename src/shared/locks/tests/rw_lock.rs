use super::*;

#[test]
fn readers_share_and_writers_exclude() {
    let region = region();
    let lock = RwLock::create(&region, AT, 8).unwrap();
    let (readers, writers) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let together = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for thread in 0..4_u64 {
            let (lock, region, readers, writers, together) = (&lock, &region, &readers, &writers, &together);
            scope.spawn(move || {
                let access = region.access().unwrap();
                for round in 0..ROUNDS / 4 {
                    if (round + thread) % 4 == 0 {
                        let _guard = lock.write(forever()).unwrap();
                        assert_eq!(writers.fetch_add(1, Ordering::SeqCst), 0);
                        assert_eq!(readers.load(Ordering::SeqCst), 0);
                        slow_increment(&access, 256);
                        writers.fetch_sub(1, Ordering::SeqCst);
                    } else {
                        let _guard = lock.read(forever()).unwrap();
                        together.fetch_max(readers.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                        assert_eq!(writers.load(Ordering::SeqCst), 0);
                        readers.fetch_sub(1, Ordering::SeqCst);
                    }
                }
            });
        }
    });
    let writes =
        (0..4).map(|thread| (0..ROUNDS / 4).filter(|round| (round + thread) % 4 == 0).count() as u64);
    assert_eq!(atomics::load::<u64>(&region.access().unwrap(), 256), Ok(writes.sum()));
    assert_eq!((word(&region), waiters(&region)), (0, 0));
}

#[test]
fn two_readers_are_inside_at_once_and_slots_run_out() {
    let region = region();
    let lock = RwLock::create(&region, AT, 2).unwrap();
    let owners: Vec<_> = (0..4).map(|_| admit_owner().unwrap()).collect();
    assert_eq!(lock.try_read(owners[0]), Ok(Some(0)));
    assert_eq!(lock.try_read(owners[1]), Ok(Some(1)));
    assert_eq!(lock.try_read(owners[2]), Ok(None));
    assert_eq!(lock.try_write(owners[2]), Ok(false));
    let (callback, outcome) = told();
    let _pending = lock.begin_read(owners[2], callback).unwrap().ok().unwrap();
    assert_eq!(lock.read_unlock(owners[3], 0), Err(SharedError::NotHeld));
    lock.read_unlock(owners[0], 0).unwrap();
    assert_eq!(outcome.try_recv(), Ok(Outcome::Granted(0)));
    lock.read_unlock(owners[1], 1).unwrap();
    lock.read_unlock(owners[2], 0).unwrap();
    assert_eq!(lock.try_write(owners[3]), Ok(true));
    assert_eq!(lock.try_read(owners[0]), Ok(None));
    lock.write_unlock(owners[3]).unwrap();
}

#[test]
fn a_waiting_writer_is_not_overtaken_and_readers_after_it_come_in_together() {
    let region = region();
    let lock = RwLock::create(&region, AT, 4).unwrap();
    let owners: Vec<_> = (0..4).map(|_| admit_owner().unwrap()).collect();
    let slot = lock.try_read(owners[0]).unwrap().unwrap();
    let (callback, write) = told();
    let _writer = lock.begin_write(owners[1], callback).unwrap().unwrap();
    assert_eq!(lock.try_read(owners[2]), Ok(None), "the writer was first");
    let (callback, read_a) = told();
    let _a = lock.begin_read(owners[2], callback).unwrap().ok().unwrap();
    let (callback, read_b) = told();
    let _b = lock.begin_read(owners[3], callback).unwrap().ok().unwrap();
    assert_eq!(lock.read_raw(owners[0], forever()), Err(SharedError::WouldDeadlock));
    assert_eq!(lock.write_raw(owners[0], forever()), Err(SharedError::WouldDeadlock));
    lock.read_unlock(owners[0], slot).unwrap();
    assert_eq!(write.try_recv(), Ok(Outcome::Granted(0)));
    assert!(read_a.try_recv().is_err());
    lock.write_unlock(owners[1]).unwrap();
    assert!(matches!(read_a.try_recv(), Ok(Outcome::Granted(_))));
    assert!(matches!(read_b.try_recv(), Ok(Outcome::Granted(_))));
}

#[test]
fn a_writer_that_gives_up_while_readers_leave_lets_the_others_in() {
    let region = region();
    let lock = RwLock::create(&region, AT, 4).unwrap();
    let owners: Vec<_> = (0..3).map(|_| admit_owner().unwrap()).collect();
    let slot = lock.try_read(owners[0]).unwrap().unwrap();
    let mut writer = lock.begin_write(owners[1], None).unwrap().unwrap();
    let (callback, read) = told();
    let _reader = lock.begin_read(owners[2], callback).unwrap().ok().unwrap();
    assert_eq!(writer.wait_slice(Duration::from_millis(1)), Ok(None));
    assert!(writer.cancel());
    let Ok(Outcome::Granted(second)) = read.try_recv() else { panic!("the reader comes in") };
    lock.read_unlock(owners[0], slot).unwrap();
    lock.read_unlock(owners[2], second).unwrap();
    assert_eq!(word(&region), 0);
}

#[test]
fn dead_readers_are_cleared_and_a_dead_writer_poisons() {
    let region = region();
    let lock = RwLock::create(&region, AT, 2).unwrap();
    let (reader, writer, me) = (admit_owner().unwrap(), admit_owner().unwrap(), admit_owner().unwrap());
    lock.try_read(reader).unwrap().unwrap();
    let (callback, write) = told();
    let _pending = lock.begin_write(writer, callback).unwrap().unwrap();
    owner_died(reader);
    assert_eq!(write.try_recv(), Ok(Outcome::Granted(0)), "a dead reader holds nobody up");
    let (callback, read) = told();
    let _waits = lock.begin_read(me, callback).unwrap().ok().unwrap();
    owner_died(writer);
    assert_eq!(read.try_recv().map(acquired), Ok(Err(SharedError::OwnerDied)));
    assert_eq!(lock.try_read(me), Err(SharedError::OwnerDied));
    assert_eq!(lock.write_raw(me, forever()), Err(SharedError::OwnerDied));
    assert_eq!(lock.recover(me), Ok(true));
    lock.write_unlock(me).unwrap();
    assert_eq!(lock.try_read(me), Ok(Some(0)));
}

#[test]
fn a_writer_that_dies_before_it_is_let_in_poisons_nothing() {
    let region = region();
    let lock = RwLock::create(&region, AT, 2).unwrap();
    let (reader, writer, me) = (admit_owner().unwrap(), admit_owner().unwrap(), admit_owner().unwrap());
    let slot = lock.try_read(reader).unwrap().unwrap();
    let (callback, _outcome) = told();
    let _draining = lock.begin_write(writer, callback).unwrap().unwrap();
    let (callback, read) = told();
    let _waits = lock.begin_read(me, callback).unwrap().ok().unwrap();
    owner_died(writer);
    let Ok(Outcome::Granted(mine)) = read.try_recv() else { panic!("let in") };
    lock.read_unlock(reader, slot).unwrap();
    lock.read_unlock(me, mine).unwrap();
    assert_eq!(lock.try_write(me), Ok(true));
}
