//! Where tasks are done: each machine has a lane, in which one is done after the other, and all lanes
//! go at once, so that a machine that is slow keeps no other waiting.

use std::any::Any;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::Scope;
use std::time::Duration;

use ecow::EcoString;
use rustc_hash::FxHashMap;

use super::driver::Driver;
use super::machine::Event;
use super::task::Task;

/// What became of a task: an event, or the panic of its handler.
type Ended = Result<Event, Box<dyn Any + Send>>;

/// All lanes of a run.
pub(in crate::deploy) struct Lanes<'scope, 'env> {
    scope: &'scope Scope<'scope, 'env>,
    driver: &'env Driver<'env>,
    /// By the identity of a machine: two targets that are one machine share a lane. None where all is
    /// for one machine: then tasks are done right here.
    threads: Option<FxHashMap<EcoString, Sender<Task>>>,
    ended: (Sender<Ended>, Receiver<Ended>),
    here: VecDeque<Event>,
    under_way: usize,
    /// Nothing is begun any more.
    stopped: Arc<AtomicBool>,
}

impl<'scope, 'env> Lanes<'scope, 'env> {
    /// Lanes for the targets of a driver.
    pub(in crate::deploy) fn new(scope: &'scope Scope<'scope, 'env>, driver: &'env Driver<'env>) -> Self {
        let several = driver.targets.machines().nth(1).is_some();
        Lanes {
            scope,
            driver,
            threads: several.then(FxHashMap::default),
            ended: channel(),
            here: VecDeque::new(),
            under_way: 0,
            stopped: Arc::default(),
        }
    }

    /// Has a task done, after those of the same machine.
    pub(in crate::deploy) fn start(&mut self, task: Task) {
        let Some(threads) = &mut self.threads else {
            self.here.push_back(self.driver.does(task));
            return;
        };
        let target = self.driver.targets.get(task.target);
        let machine = target.map(|target| target.place.identity.clone()).unwrap_or_default();
        let (scope, driver) = (self.scope, self.driver);
        let (ended, stopped) = (&self.ended.0, &self.stopped);
        let lane = threads.entry(machine).or_insert_with(|| {
            let (sender, tasks) = channel::<Task>();
            let (ended, stopped) = (ended.clone(), stopped.clone());
            scope.spawn(move || {
                for task in tasks {
                    if stopped.load(Ordering::SeqCst) {
                        return;
                    }
                    let event = catch_unwind(AssertUnwindSafe(|| driver.does(task)));
                    if ended.send(event).is_err() {
                        return;
                    }
                }
            });
            sender
        });
        // A lane ends only once nobody wants anything of it.
        if lane.send(task).is_ok() {
            self.under_way += 1;
        }
    }

    /// What has ended by now.
    pub(in crate::deploy) fn ended(&mut self) -> Option<Event> {
        match self.here.pop_front() {
            Some(event) => Some(event),
            None => self.ended.1.try_recv().ok().map(|ended| self.take(ended)),
        }
    }

    /// Waits until something has ended, for so long at most if that is said; nothing if nothing is under
    /// way, or the time is over.
    pub(in crate::deploy) fn wait(&mut self, limit: Option<Duration>) -> Option<Event> {
        if self.is_idle() {
            return None;
        }
        let ended = match limit {
            Some(limit) => self.ended.1.recv_timeout(limit),
            None => self.ended.1.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        ended.ok().map(|ended| self.take(ended))
    }

    /// Whether nothing is under way.
    pub(in crate::deploy) fn is_idle(&self) -> bool {
        self.under_way == 0
    }

    fn take(&mut self, ended: Ended) -> Event {
        self.under_way = self.under_way.saturating_sub(1);
        ended.unwrap_or_else(|panic| resume_unwind(panic))
    }
}

impl Drop for Lanes<'_, '_> {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
    }
}
