/** Types of the ESM face: those of index.d.ts. */

import rustWorkers = require('../index.js');

export * from '../index.js';

export default rustWorkers;
