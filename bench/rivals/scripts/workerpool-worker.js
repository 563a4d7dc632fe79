'use strict';

const { worker, Transfer } = require('workerpool');

const body = require('./body');

worker({ ...body, moved: (input) => new Transfer(input, [input.buffer]) });
