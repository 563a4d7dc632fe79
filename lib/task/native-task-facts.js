'use strict';

/** The native tasks by name, and what a pool must know of each; all of it comes from Rust (src/tasks/registry.rs). */

const { binding } = require('../native');

/** Before a name: the native task of that name, whatever a script exports. */
const PREFIX = 'native:';

/** @type {{ name: string, inPlace: boolean, parallel: boolean, wakesPlain: boolean }[]} by index */
const tasks = binding.nativeTasks();
const names = tasks.map(({ name }) => name);
const facts = new Map(tasks.map((task) => [task.name, task]));
const indices = new Map(names.flatMap((name, index) => [[name, index], [PREFIX + name, index]]));

/** The index by which the native side knows a task; undefined when there is none of that name. */
const taskIndex = (name) => indices.get(name);

/** The name of the task at that index. */
const taskName = (index) => names[index];

/** Whether a name can only be that of a native task. */
const isNativeOnly = (name) => name.startsWith(PREFIX);

/** All names. */
const taskNames = () => names;

/** Whether a task changes its input's memory in place, and returns that memory. */
const isInPlace = (name) => facts.get(name).inPlace;

/** Whether several threads can work on a task. */
const isParallel = (name) => facts.get(name).parallel;

/** Whether a task wakes threads that wait by plain `Atomics.wait`. */
const wakesPlain = (name) => facts.get(name).wakesPlain;

module.exports = { isInPlace, isNativeOnly, isParallel, taskIndex, taskName, taskNames, wakesPlain };
