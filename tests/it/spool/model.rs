//! Any series of steps leaves the spool as it leaves a plain list.

use proptest::{collection::vec, prelude::*};
use sentrynet::report::sentry::spool::{Category, Lane, Limits, Reason, Record, Spool};
use tempfile::TempDir;

use super::{losses, now, push_new, texts};

#[derive(Clone, Debug)]
enum Step {
    Push(Lane, Category),
    Take(usize, Vec<Category>),
    /// Of the records in hand, this one.
    Done(usize),
    PutBack(usize),
    Discard(usize),
    Tend,
    Restart,
}

/// Each lane's records in order: the text, its category, whether it is taken.
type Model = [Vec<(String, Category, bool)>; 2];

fn category() -> impl Strategy<Value = Category> {
    (0..Category::ALL.len()).prop_map(|number| Category::ALL[number])
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (any::<bool>(), category())
            .prop_map(|(urgent, category)| Step::Push(if urgent { Lane::Urgent } else { Lane::Routine }, category)),
        3 => (1..12_usize, vec(category(), 0..3)).prop_map(|(limit, held)| Step::Take(limit, held)),
        4 => any::<usize>().prop_map(Step::Done),
        2 => any::<usize>().prop_map(Step::PutBack),
        1 => any::<usize>().prop_map(Step::Discard),
        1 => Just(Step::Tend),
        1 => Just(Step::Restart),
    ]
}

fn model_take(model: &mut Model, limit: usize, held: &[Category]) -> Vec<String> {
    let free = model.iter_mut().flatten().filter(|(_, category, taken)| !taken && !held.contains(category));
    free.take(limit)
        .map(|(text, _, taken)| {
            *taken = true;
            text.clone()
        })
        .collect()
}

/// The model's record of this one.
fn place(model: &Model, record: &Record) -> (usize, usize) {
    let (lane, text) = (record.lane() as usize, &texts(std::slice::from_ref(record))[0]);
    (lane, model[lane].iter().position(|(known, ..)| known == text).unwrap())
}

fn pick(hand: &mut Vec<Record>, index: usize) -> Option<Record> {
    let index = index.checked_rem(hand.len())?;
    Some(hand.remove(index))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn any_series_of_steps_leaves_the_spool_as_it_leaves_a_list(steps in vec(step(), 1..150)) {
        let directory = TempDir::new().unwrap();
        let path = directory.path().join("spool");
        // Segments of a few records each.
        let limits = Limits { max_bytes: 64_000, ..Limits::default() };
        let mut spool = Some(Spool::open(&path, limits).unwrap());
        let (mut model, mut hand, mut refused): (Model, Vec<Record>, u64) = (Model::default(), Vec::new(), 0);
        for (number, step) in steps.into_iter().enumerate() {
            let open = spool.as_ref().unwrap();
            match step {
                Step::Push(lane, category) => {
                    let text = format!("{number:0200}");
                    push_new(open, lane, category, &text, now());
                    model[lane as usize].push((text, category, false));
                }
                Step::Take(limit, held) => {
                    let taken = open.take(limit, held.iter().copied().collect(), now());
                    prop_assert_eq!(texts(&taken), model_take(&mut model, limit, &held));
                    hand.extend(taken);
                }
                Step::Done(index) | Step::Discard(index) => {
                    let Some(record) = pick(&mut hand, index) else { continue };
                    let (lane, index) = place(&model, &record);
                    model[lane].remove(index);
                    if matches!(step, Step::Done(_)) {
                        open.done(record);
                    } else {
                        open.discard(record, Reason::Refused);
                        refused += 1;
                    }
                }
                Step::PutBack(index) => {
                    let Some(record) = pick(&mut hand, index) else { continue };
                    let (lane, index) = place(&model, &record);
                    model[lane][index].2 = false;
                    open.put_back(record);
                }
                Step::Tend => open.tend(now()),
                Step::Restart => {
                    drop(spool.take());
                    spool = Some(Spool::open(&path, limits).unwrap());
                    hand.clear();
                    refused = 0;
                    model.iter_mut().flatten().for_each(|(.., taken)| *taken = false);
                }
            }
            let stats = spool.as_ref().unwrap().stats(now());
            let count = |lane: Lane, out: bool| model[lane as usize].iter().filter(|(.., taken)| *taken == out).count() as u64;
            for (lane, depth) in [(Lane::Urgent, stats.urgent), (Lane::Routine, stats.routine)] {
                prop_assert_eq!((depth.waiting, depth.taken), (count(lane, false), count(lane, true)));
            }
            prop_assert_eq!(losses(spool.as_ref().unwrap()).iter().map(|loss| loss.2).sum::<u64>(), refused);
        }
    }
}
