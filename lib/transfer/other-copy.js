'use strict';

/**
 * The errors for objects and messages of another copy of the package: of one with a binary of its own, or of another
 * version.
 */

const { MalformedValueError, OtherCopyError } = require('../errors');

const madeElsewhere = (object) =>
  new OtherCopyError(
    `${object} was made by another copy of rust-workers, with a binary of its own: ` +
      'let both use one (npm dedupe, or RUST_WORKERS_BINARY for both)',
  );

/** For an object that this copy was to send. */
const objectOfOtherCopy = (typeTag) => madeElsewhere(`this ${typeTag}`);

/** For an object in a message that arrived. */
const recordOfOtherCopy = (typeTag) => madeElsewhere(`a message holds a ${typeTag} that`);

/** For a message that arrived through a fallback port. */
const unreadableMessage = () =>
  new MalformedValueError('A message came in a form that this version of rust-workers cannot read');

/** For a port in a message that arrived. */
const unreadablePort = () =>
  new MalformedValueError(
    'A message holds a MessagePort in a form that cannot be read: use one version of rust-workers in all threads',
  );

module.exports = { objectOfOtherCopy, recordOfOtherCopy, unreadableMessage, unreadablePort };
