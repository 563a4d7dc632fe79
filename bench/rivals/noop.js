'use strict';

/** What the peers' threads load: a task that does nothing, and the seed's work in JavaScript. */

const { fibonacci, sumSqrt } = require('./work');

module.exports = () => undefined;
module.exports.noop = () => undefined;
module.exports.fibonacci = fibonacci;
module.exports.sumSqrt = sumSqrt;
