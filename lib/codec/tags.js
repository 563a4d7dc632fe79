'use strict';

// The wire numbers. src/value/README.md tells the format; src/value/tags.rs holds the same list for Rust, and
// the golden vectors in __test__/fixtures/wire-vectors.json hold the two equal.

/** First byte: format version 1, without or with back-references. */
const HEADER_TREE = 0x01;
const HEADER_GRAPH = 0x11;
/** A bit of it: the value refers to what only the other JavaScript thread keeps, so no native task can read it. */
const KEPT = 0x20;

const UNDEFINED = 0x80;
const NULL = 0x81;
const FALSE = 0x82;
const TRUE = 0x83;
const INT32 = 0x84;
const FLOAT64 = 0x85;
const BIGINT = 0x86;
const LATIN1 = 0x87;
const UTF8 = 0x88;
const UTF16 = 0x89;
const DATE = 0x8a;
const ARRAY = 0x8b;
const ARRAY_TAILED = 0x8c;
const SHAPED = 0x8d;
const SHAPED_HOLEY = 0x8e;
const OBJECT = 0x8f;
const MAP = 0x90;
const SET = 0x91;
const ERROR = 0x92;
const BYTES = 0x93;
const BYTES_PART = 0x94;
const VIEW = 0x95;
const REF = 0x96;
const HOLE = 0x97;
const TAIL = 0x98;
const REGEXP = 0x99;
const BOXED = 0x9a;
/** An object that Node carries beside the wire. */
const CARRIED = 0x9b;
/** For objects of ours: see extensions.js. */
const SHARED = 0xa0;
const PORT = 0xa1;
const FIRST_EXTENSION = 0xa0;
const LAST_EXTENSION = 0xaf;
/** 0xc0 + n: a string of n Latin-1 characters, n < 64. */
const SHORT_LATIN1 = 0xc0;

module.exports = {
  HEADER_TREE, HEADER_GRAPH, KEPT, UNDEFINED, NULL, FALSE, TRUE, INT32, FLOAT64, BIGINT, LATIN1, UTF8, UTF16, DATE,
  ARRAY, ARRAY_TAILED, SHAPED, SHAPED_HOLEY, OBJECT, MAP, SET, ERROR, BYTES, BYTES_PART, VIEW, REF, HOLE,
  TAIL, REGEXP, BOXED, CARRIED, SHARED, PORT, FIRST_EXTENSION, LAST_EXTENSION, SHORT_LATIN1,
};
