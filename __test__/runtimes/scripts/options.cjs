'use strict';

const { workerData } = require('node:worker_threads');

module.exports = () => [process.argv.slice(2), process.env.OURS, { shared: workerData.shared.load(0) }];
