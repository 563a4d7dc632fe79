'use strict';

/** The native tasks by name. */

const { binding } = require('./native');

/** Before a name: the native task of that name, whatever a script exports. */
const PREFIX = 'native:';

const names = binding.taskNames();
const indices = new Map(names.flatMap((name, index) => [[name, index], [PREFIX + name, index]]));

/** The index by which the native side knows a task; undefined when there is none of that name. */
const taskIndex = (name) => indices.get(name);

/** The name of the task at that index. */
const taskName = (index) => names[index];

/** Whether a name can only be that of a native task. */
const isNativeOnly = (name) => name.startsWith(PREFIX);

/** All names. */
const taskNames = () => names;

module.exports = { isNativeOnly, taskIndex, taskName, taskNames };
