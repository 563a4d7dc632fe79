/** Types for `import` (lib/index.mjs). They are those of index.d.ts. */

import rustWorkers = require('../index.js');

export * from '../index.js';

export default rustWorkers;
