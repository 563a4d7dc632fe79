'use strict';

/** The native tasks by name. */

const { binding } = require('./native');

const names = binding.taskNames();
const indices = new Map(names.map((name, index) => [name, index]));

/** The index by which the native side knows a task; undefined when there is none of that name. */
const taskIndex = (name) => indices.get(name);

/** All names. */
const taskNames = () => names;

module.exports = { taskIndex, taskNames };
