//! What comes out of the spool, in which order, and what does not.

use std::{fs, time::Duration};

use sentrynet::report::sentry::spool::{Categories, Category, Lane, Limits, NewRecord, Reason, Spool};
use tempfile::TempDir;

use super::{losses, new_spool, new_spool_with, now, open, push, push_new, segments, take, texts};

const DAY: Duration = Duration::from_hours(24);

#[test]
fn urgent_records_are_taken_first_then_the_oldest() {
    let (_directory, spool) = new_spool();
    push(&spool, Lane::Routine, "a");
    push(&spool, Lane::Urgent, "b");
    push(&spool, Lane::Routine, "c");
    push(&spool, Lane::Urgent, "d");
    assert_eq!(texts(&take(&spool, 3)), ["b", "d", "a"]);
    assert_eq!(texts(&take(&spool, 3)), ["c"]);
    assert_eq!(spool.depth(), 4, "taken is not settled");
}

#[test]
fn a_record_comes_back_as_it_was_pushed() {
    let (directory, spool) = new_spool();
    let event_id = Some(uuid::Uuid::from_u128(7));
    let new = NewRecord { lane: Lane::Urgent, category: Category::Monitor, event_id, payload: b"{}\n\xFE\x00" };
    spool.push(&new, now());
    drop(spool);
    let record = take(&open(directory.path()), 1).remove(0);
    assert_eq!((record.lane(), record.category(), record.event_id()), (Lane::Urgent, Category::Monitor, event_id));
    assert_eq!((record.spooled_at(), &record.payload()[..]), (now(), new.payload));
}

#[test]
fn a_restart_brings_back_what_is_not_settled_and_nothing_else() {
    let (directory, spool) = new_spool();
    ["sent", "refused", "failed", "in flight", "waiting"].iter().for_each(|text| push(&spool, Lane::Routine, text));
    let [sent, refused, failed, _in_flight] = take(&spool, 4).try_into().unwrap();
    spool.done(sent);
    spool.discard(refused, Reason::Refused);
    spool.put_back(failed);
    assert_eq!(spool.stats(now()).counts.delivered(Category::Transaction), 1);
    assert_eq!(losses(&spool), [(Reason::Refused, Category::Transaction, 1)]);
    drop(spool);
    assert_eq!(texts(&take(&open(directory.path()), 9)), ["failed", "in flight", "waiting"]);
}

#[test]
fn a_category_held_back_does_not_hold_up_the_others() {
    let (_directory, spool) = new_spool();
    push_new(&spool, Lane::Urgent, Category::Error, "error", now());
    push_new(&spool, Lane::Urgent, Category::Monitor, "check-in", now());
    push_new(&spool, Lane::Routine, Category::Transaction, "transaction", now());
    let held = [Category::Error, Category::Transaction].into_iter().collect();
    assert_eq!(texts(&spool.take(9, held, now())), ["check-in"]);
    assert_eq!(texts(&take(&spool, 9)), ["error", "transaction"]);
}

#[test]
fn a_record_put_back_is_the_next_one_again() {
    let (_directory, spool) = new_spool();
    ["a", "b", "c"].iter().for_each(|text| push(&spool, Lane::Urgent, text));
    take(&spool, 2).into_iter().for_each(|record| spool.put_back(record));
    assert_eq!(texts(&take(&spool, 9)), ["a", "b", "c"]);
}

#[test]
fn segments_are_deleted_when_all_of_them_is_settled() {
    let (directory, spool) = new_spool();
    (0..3_000).for_each(|number| push(&spool, Lane::Routine, &format!("{number:09000}")));
    assert!(segments(directory.path()).len() > 5);
    while let records = take(&spool, 100)
        && !records.is_empty()
    {
        records.into_iter().for_each(|record| spool.done(record));
    }
    assert_eq!(segments(directory.path()).len(), 1, "the one that is written to stays");
    drop(spool);
    let _spool = open(directory.path());
    assert!(segments(directory.path()).is_empty());
}

#[test]
fn a_second_spool_in_the_same_directory_is_refused_by_name() {
    let (directory, _spool) = new_spool();
    let error = Spool::open(directory.path(), Limits::default()).unwrap_err();
    assert_eq!((error.pid, &*error.directory), (Some(std::process::id()), directory.path()));
}

#[test]
fn files_of_others_are_left_alone() {
    let directory = TempDir::new().unwrap();
    let names = ["urgent-x.log", "urgent-1.log", "routine-0000000001.txt", "notes"];
    names.iter().for_each(|name| fs::write(directory.path().join(name), "mine").unwrap());
    let spool = open(directory.path());
    push(&spool, Lane::Urgent, "a");
    drop(spool);
    assert_eq!(texts(&take(&open(directory.path()), 9)), ["a"]);
    names.iter().for_each(|name| assert_eq!(fs::read(directory.path().join(name)).unwrap(), b"mine"));
}

#[test]
fn at_the_bound_the_oldest_routine_records_go_first_then_the_oldest_of_all() {
    let (_directory, spool) = new_spool_with(Limits { max_bytes: 64_000, ..Limits::default() });
    let text = |number: usize| format!("{number:0960}");
    (0..30).for_each(|number| push(&spool, Lane::Urgent, &text(number)));
    (30..100).for_each(|number| push(&spool, Lane::Routine, &text(number)));
    let stats = spool.stats(now());
    assert!(stats.disk_bytes <= 64_000, "{stats:?}");
    assert_eq!((stats.urgent.waiting, stats.routine.waiting), (30, 34));
    assert_eq!(losses(&spool), [(Reason::QueueOverflow, Category::Transaction, 36)]);

    (100..170).for_each(|number| push(&spool, Lane::Urgent, &text(number)));
    let stats = spool.stats(now());
    assert_eq!((stats.urgent.waiting, stats.routine.waiting), (64, 0));
    push(&spool, Lane::Routine, &text(170));
    let lost = [(Reason::QueueOverflow, Category::Error, 36), (Reason::QueueOverflow, Category::Transaction, 71)];
    assert_eq!(losses(&spool), lost, "no urgent record is lost for a routine one");
    assert_eq!(texts(&take(&spool, 1)), [text(106)]);
}

#[test]
fn a_record_in_hand_survives_the_loss_of_its_segment() {
    let (_directory, spool) = new_spool_with(Limits { max_bytes: 10_000, ..Limits::default() });
    push(&spool, Lane::Routine, &"x".repeat(4_000));
    let record = take(&spool, 1).remove(0);
    (0..3).for_each(|number| push(&spool, Lane::Urgent, &format!("{number:03000}")));
    assert_eq!(spool.stats(now()).counts.losses().count(), 0);
    spool.done(record);
    assert_eq!(spool.depth(), 3);
}

#[test]
fn a_record_too_large_is_lost_and_counted() {
    let (_directory, spool) = new_spool_with(Limits { max_bytes: 1_000, ..Limits::default() });
    push(&spool, Lane::Urgent, &"x".repeat(1_000));
    assert_eq!((spool.depth(), losses(&spool)), (0, vec![(Reason::TooLarge, Category::Error, 1)]));
}

#[test]
fn a_record_older_than_sentry_takes_is_dropped_and_counted_once() {
    let (directory, spool) = new_spool();
    push_new(&spool, Lane::Urgent, Category::Error, "old", now());
    push_new(&spool, Lane::Urgent, Category::Error, "young", now() + DAY);
    let still = spool.take(1, Categories::NONE, now() + 4 * DAY);
    assert_eq!(texts(&still), ["old"], "not older than four days yet");
    still.into_iter().for_each(|record| spool.put_back(record));
    let late = now() + 4 * DAY + Duration::from_secs(1);
    assert_eq!(texts(&spool.take(9, Categories::NONE, late)), ["young"]);
    assert_eq!(losses(&spool), [(Reason::Expired, Category::Error, 1)]);
    drop(spool);
    let spool = open(directory.path());
    assert_eq!(texts(&spool.take(9, Categories::NONE, late)), ["young"]);
    assert_eq!(losses(&spool), []);
}

#[test]
fn a_clock_set_back_changes_neither_order_nor_ends_anything() {
    let (directory, spool) = new_spool();
    push_new(&spool, Lane::Urgent, Category::Error, "first", now());
    push_new(&spool, Lane::Urgent, Category::Error, "second", now() - 3 * DAY);
    let back = now() - 3 * DAY;
    spool.tend(back);
    assert_eq!(spool.stats(back).oldest, Some(Duration::ZERO));
    drop(spool);
    let spool = open(directory.path());
    assert_eq!(texts(&spool.take(9, Categories::NONE, back)), ["first", "second"]);
    assert_eq!(losses(&spool), []);
}

#[test]
fn the_age_of_the_oldest_record_is_known() {
    let (_directory, spool) = new_spool();
    assert_eq!(spool.stats(now()).oldest, None);
    push_new(&spool, Lane::Urgent, Category::Error, "a", now());
    push_new(&spool, Lane::Urgent, Category::Error, "b", now() + DAY);
    assert_eq!(spool.stats(now() + DAY).oldest, Some(DAY));
}
