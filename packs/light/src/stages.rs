//! The stages of a thread, and the worlds that it keeps.
//!
//! A thread has one stage, as a rule. A task that waits for the host may have another one run on its thread meanwhile, on top of it: that gets a
//! stage of its own. Worlds are kept per stage, as many as fit into [`WORLDS`] bytes; those that were not used for longest go first, and are
//! made again from bytecode when they are needed.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use crate::definition::{self, Definition};
use crate::errors;
use crate::host::Failure;
use crate::instantiate::instantiate;
use crate::world::stage::{Stage, World};

/// What the worlds of one thread may take.
const WORLDS: usize = 64 << 20;
/// The smallest stage; larger ones are made for tenants that may have more.
const SMALLEST: usize = 16 << 20;

/// A stage, and the worlds that can stand on it.
pub(crate) struct Worlds {
    pub(crate) stage: Stage,
    worlds: HashMap<u64, Kept>,
    size: usize,
    clock: u64,
    drops: u64,
}

struct Kept {
    world: World,
    definition: Arc<Definition>,
    used: u64,
}

thread_local! {
    static STAGES: RefCell<Vec<Worlds>> = const { RefCell::new(Vec::new()) };
}

/// Lends a stage for tasks of up to `memory` bytes. It is kept for the next task unless `work` panics.
pub(crate) fn with_stage<R>(memory: usize, work: impl FnOnce(&mut Worlds) -> R) -> Result<R, Failure> {
    let found = STAGES.with_borrow_mut(|stages| {
        let index = stages.iter().rposition(|worlds| worlds.stage.capacity() >= memory);
        index.map(|index| stages.swap_remove(index))
    });
    let mut worlds = match found {
        Some(worlds) => worlds,
        None => Worlds::new(memory).ok_or_else(|| errors::no_room(memory))?,
    };
    let result = work(&mut worlds);
    worlds.stage.watch().end();
    STAGES.with_borrow_mut(|stages| {
        // A larger stage does what a smaller one did.
        if let Some(smaller) =
            stages.iter().position(|other| other.stage.capacity() < worlds.stage.capacity())
        {
            stages.swap_remove(smaller);
        }
        stages.push(worlds);
    });
    Ok(result)
}

impl Worlds {
    fn new(memory: usize) -> Option<Worlds> {
        let stage = Stage::new(memory.checked_next_power_of_two()?.max(SMALLEST))?;
        Some(Worlds { stage, worlds: HashMap::new(), size: 0, clock: 0, drops: definition::drops() })
    }

    /// Sets the stage to the world of `definition`, which is made if it is not there.
    pub(crate) fn enter(&mut self, definition: &Arc<Definition>) -> Result<(), Failure> {
        self.put_aside(definition);
        self.forget_dropped();
        self.clock += 1;
        if let Some(kept) = self.worlds.get_mut(&definition.id) {
            kept.used = self.clock;
            self.stage.set(&kept.world, definition);
            return Ok(());
        }
        self.stage.set_empty();
        let functions = instantiate(&self.stage, definition)?;
        let world = self.stage.keep(functions, definition);
        self.insert(world, definition);
        Ok(())
    }

    /// Another world comes onto the stage: what tasks have left in this one is kept where its tenant asked for that.
    fn put_aside(&mut self, next: &Arc<Definition>) {
        let Some(current) = self.stage.with_state().filter(|current| !Arc::ptr_eq(current, next)) else {
            return;
        };
        if let Some(kept) = self.worlds.get_mut(&current.id) {
            self.size -= kept.world.size();
            self.stage.save(&mut kept.world);
            self.size += kept.world.size();
        }
    }

    fn insert(&mut self, world: World, definition: &Arc<Definition>) {
        self.size += world.size();
        let kept = Kept { world, definition: definition.clone(), used: self.clock };
        self.worlds.insert(definition.id, kept);
        while self.size > WORLDS && self.worlds.len() > 1 {
            let Some(oldest) = self.worlds.iter().min_by_key(|(_, kept)| kept.used).map(|(id, _)| *id) else {
                return;
            };
            self.remove(oldest);
        }
    }

    fn remove(&mut self, id: u64) {
        if let Some(kept) = self.worlds.remove(&id) {
            self.size -= kept.world.size();
        }
    }

    fn forget_dropped(&mut self) {
        let drops = definition::drops();
        if drops == self.drops {
            return;
        }
        self.drops = drops;
        let gone: Vec<u64> =
            self.worlds.iter().filter(|(_, kept)| kept.definition.was_dropped()).map(|(id, _)| *id).collect();
        for id in gone {
            self.remove(id);
        }
    }

    /// The world that [`Self::enter`] has set the stage to.
    pub(crate) fn world(&self, id: u64) -> Option<&World> {
        self.worlds.get(&id).map(|kept| &kept.world)
    }
}
