//! The numbers of the wire form, which README.md describes. JavaScript gets them from here ([`NUMBERS`]).

use crate::exported_numbers::Numbers;
use crate::numbers;

/// First byte: format version 1, a tree.
pub(super) const HEADER_TREE: u8 = 0x01;
/// First byte: format version 1, with references back.
pub(super) const HEADER_GRAPH: u8 = 0x11;
/// A bit of the first byte: the value refers to something that only another JavaScript thread keeps.
pub(super) const KEPT: u8 = 0x20;

/// Below this a byte is a small integer itself.
pub(super) const FIRST_TAG: u8 = 0x80;
pub(super) const UNDEFINED: u8 = 0x80;
pub(super) const NULL: u8 = 0x81;
pub(super) const FALSE: u8 = 0x82;
pub(super) const TRUE: u8 = 0x83;
pub(super) const INT32: u8 = 0x84;
pub(super) const FLOAT64: u8 = 0x85;
pub(super) const BIGINT: u8 = 0x86;
pub(super) const LATIN1: u8 = 0x87;
pub(super) const UTF16: u8 = 0x89;
pub(super) const DATE: u8 = 0x8a;
pub(super) const ARRAY: u8 = 0x8b;
pub(super) const ARRAY_TAILED: u8 = 0x8c;
pub(super) const SHAPED: u8 = 0x8d;
pub(super) const SHAPED_HOLEY: u8 = 0x8e;
pub(super) const OBJECT: u8 = 0x8f;
pub(super) const MAP: u8 = 0x90;
pub(super) const SET: u8 = 0x91;
pub(super) const ERROR: u8 = 0x92;
pub(super) const BYTES: u8 = 0x93;
pub(super) const BYTES_PART: u8 = 0x94;
pub(super) const VIEW: u8 = 0x95;
pub(super) const REF: u8 = 0x96;
pub(super) const HOLE: u8 = 0x97;
pub(super) const TAIL: u8 = 0x98;
pub(super) const REGEXP: u8 = 0x99;
pub(super) const BOXED: u8 = 0x9a;
/// JavaScript only: an object that Node carries beside the wire.
const CARRIED: u8 = 0x9b;
/// Messages only: a long string, in a part.
pub(super) const TEXT_PART: u8 = 0x9c;
/// From here to `LAST_EXTENSION`: objects of ours, each written by an extension of the JavaScript codec.
const FIRST_EXTENSION: u8 = 0xa0;
/// Shared memory.
pub(super) const SHARED: u8 = 0xa0;
/// A port.
pub(super) const PORT: u8 = 0xa1;
/// JavaScript only: an object of ours that does not move, as what its class packs.
const PACKED: u8 = 0xa2;
const LAST_EXTENSION: u8 = 0xaf;
/// From this on: a string of Latin-1 characters, and how many.
pub(super) const SHORT_LATIN1: u8 = 0xc0;

/// Strings below this length may be short.
pub(super) const SHORT_LIMIT: usize = 64;
/// Bits of an error's flags byte.
pub(super) const ERROR_HAS_MESSAGE: u8 = 1;
pub(super) const ERROR_HAS_STACK: u8 = 2;
/// The first text is the name of the class; one more is the name of the error itself.
pub(super) const ERROR_HAS_NAME: u8 = 4;

/// For JavaScript.
pub(super) const NUMBERS: Numbers = numbers! {
    HEADER_TREE, HEADER_GRAPH, KEPT, FIRST_TAG, UNDEFINED, NULL, FALSE, TRUE, INT32, FLOAT64, BIGINT, LATIN1,
    UTF16, DATE, ARRAY, ARRAY_TAILED, SHAPED, SHAPED_HOLEY, OBJECT, MAP, SET, ERROR, BYTES, BYTES_PART,
    VIEW, REF, HOLE, TAIL, REGEXP, BOXED, CARRIED, TEXT_PART, FIRST_EXTENSION, SHARED, PORT, PACKED, LAST_EXTENSION,
    SHORT_LATIN1, SHORT_LIMIT, ERROR_HAS_MESSAGE, ERROR_HAS_STACK, ERROR_HAS_NAME,
};
