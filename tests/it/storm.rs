//! Storms: everything that Draft consists of is killed, stopped and hung up at random moments, started again and again,
//! until all is over. Then the books must balance: every byte, every end, every process, lock, folder and row.
//!
//! `DRAFT_STORM_ROUNDS` says how many storms there are, `DRAFT_STORM_SEED` which is the first; a storm that fails names its
//! seed. What is struck is decided by the seed; what stands where at that moment is up to the machine.

mod aftermath;
mod chance;
mod daemons;
mod roles;
mod strike;

use std::time::{SystemTime, UNIX_EPOCH};

use crate::engine::Yard;

use chance::Chance;
use roles::Role;
use strike::Storm;

/// How many storms there are, and the seed of the first.
struct Season {
    rounds: u64,
    seed: u64,
}

impl Season {
    fn of(rounds: u64) -> Self {
        let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
        let clock = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
        Self {
            rounds: number("DRAFT_STORM_ROUNDS").unwrap_or(rounds),
            seed: number("DRAFT_STORM_SEED").unwrap_or_else(|| u64::try_from(clock() % 1_000_000_007).unwrap_or(1)),
        }
    }

    /// Lets it storm over that many runs at once.
    fn pass(self, runs: usize) {
        for round in 0..self.rounds {
            let seed = self.seed.wrapping_add(round);
            let failing = Failing { seed, runs };
            storm(runs, seed);
            std::mem::forget(failing);
            eprintln!("storm {seed} over {runs} runs: nothing was lost");
        }
    }
}

/// Names the seed of a storm that fails.
struct Failing {
    seed: u64,
    runs: usize,
}

impl Drop for Failing {
    fn drop(&mut self) {
        eprintln!("DRAFT_STORM_SEED={} DRAFT_STORM_ROUNDS=1 is this storm over {} runs", self.seed, self.runs);
    }
}

/// One storm from the first start to the last look.
fn storm(runs: usize, seed: u64) {
    let mut chance = Chance::new(seed);
    let yard = Yard::with_checks(&[]);
    let check = yard.script(roles::CHECK);
    yard.checks(&[&check]);
    yard.world.draft(&["trust"]).ok();
    yard.settings(&format!("  max_parallel_jobs: {runs}\n"));
    let roles: Vec<Role> = (1..=runs).map(|n| Role::new(n, &mut chance)).collect();
    yard.tickets(&roles.iter().map(|role| role.script.as_str()).collect::<Vec<_>>());
    let mut storm = Storm::new(&yard, chance, runs);
    storm.rage();
    let struck = storm.calm();
    aftermath::assert_books_balance(&yard, &roles, &struck);
}

#[test]
fn four_runs_in_storms_lose_nothing() {
    Season::of(1).pass(4);
}

#[test]
fn thirty_two_runs_in_a_storm_lose_nothing() {
    Season::of(1).pass(32);
}
