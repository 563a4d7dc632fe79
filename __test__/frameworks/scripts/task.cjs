'use strict';

/** The script of every project's pool. */

const { task } = require('rust-workers');

exports.render = ({ page }) => `<p>page ${page}</p>`;

exports.fail = (message) => {
  throw Object.assign(new RangeError(message), { code: 'E_ON_PURPOSE' });
};

/** Reports that it has begun, and goes on until it is told to stop. */
exports.endless = () => {
  task.progress('begun');
  while (!task.cancelled);
  task.throwIfCancelled();
};
