//! What the code that the attribute makes is built of.
//!
//! A type's own way in or out is preferred to serde's by the order in which Rust looks for methods: first those of the type with more
//! `&`s. (The attribute knows only how a type is written; this also sees through aliases.)

use std::fmt::Display;
use std::marker::PhantomData;

use serde::{Deserialize, Serialize};

use crate::arrays::{Array, Slice, SliceMut};
use crate::context::Context;
use crate::de;
use crate::element::Element;
use crate::error::Error;
pub use crate::raw::Frame;
pub use crate::registry::Registration;

pub use inventory;

/// The type of a task's input.
pub struct Input<A>(PhantomData<A>);

/// Of a task with one parameter.
pub fn input_of<A, R>(_: fn(A) -> R) -> Input<A> {
    Input(PhantomData)
}

/// Of a task with an input and a context.
pub fn input_before_context<'c, A, R>(_: fn(A, &'c Context<'c>) -> R) -> Input<A> {
    Input(PhantomData)
}

/// A type with its own way in.
pub trait Direct<'f>: Sized {
    /// Reads it.
    fn read(frame: &'f Frame<'f>) -> Result<Self, Error>;
}

/// The first choice.
pub trait ReadDirect<'f, A> {
    /// Reads the input.
    fn read(&self, frame: &'f Frame<'f>) -> Result<A, Error>;
}

/// The second choice.
pub trait ReadBySerde<'f, A> {
    /// Reads the input.
    fn read(&self, frame: &'f Frame<'f>) -> Result<A, Error>;
}

impl<'f, A: Direct<'f>> ReadDirect<'f, A> for &Input<A> {
    fn read(&self, frame: &'f Frame<'f>) -> Result<A, Error> {
        A::read(frame)
    }
}

impl<'f, A: Deserialize<'f>> ReadBySerde<'f, A> for Input<A> {
    fn read(&self, frame: &'f Frame<'f>) -> Result<A, Error> {
        read(frame)
    }
}

fn read<'f, A: Deserialize<'f>>(frame: &'f Frame<'f>) -> Result<A, Error> {
    de::from_input(frame.input()).map_err(crate::fault::Fault::of_input)
}

impl<'f, T: Element> Direct<'f> for &'f [T] {
    fn read(frame: &'f Frame<'f>) -> Result<Self, Error> {
        read(frame).map(Slice::into_inner)
    }
}

impl<'f, T: Element> Direct<'f> for &'f mut [T] {
    fn read(frame: &'f Frame<'f>) -> Result<Self, Error> {
        read(frame).map(SliceMut::into_inner)
    }
}

impl<'f, T: Element + Deserialize<'f>> Direct<'f> for Vec<T> {
    fn read(frame: &'f Frame<'f>) -> Result<Self, Error> {
        // Bytes at once, or numbers one by one.
        read(frame).map(|Array(elements)| elements)
    }
}

/// What a task has returned.
pub struct Returned<T>(pub Option<T>);

impl<T> Returned<T> {
    fn take(&mut self) -> Result<T, Error> {
        self.0.take().ok_or_else(|| Error::panicked("the result of a task was taken twice".to_owned()))
    }
}

/// A result with an error of ours, or one that becomes one.
pub trait SplitError<T> {
    /// Its value or error.
    fn split(&mut self) -> Result<T, Error>;
}

/// A result with any error that can be shown.
pub trait SplitDisplay<T> {
    /// Its value or error.
    fn split(&mut self) -> Result<T, Error>;
}

/// What is no result.
pub trait SplitNothing<T> {
    /// The value.
    fn split(&mut self) -> Result<T, Error>;
}

impl<T, E: Into<Error>> SplitError<T> for &mut &mut Returned<Result<T, E>> {
    fn split(&mut self) -> Result<T, Error> {
        self.take()?.map_err(Into::into)
    }
}

impl<T, E: Display> SplitDisplay<T> for &mut Returned<Result<T, E>> {
    fn split(&mut self) -> Result<T, Error> {
        // `{:#}` shows the causes of an `anyhow::Error` too.
        self.take()?.map_err(|error| Error::new(format_args!("{error:#}")))
    }
}

impl<T> SplitNothing<T> for Returned<T> {
    fn split(&mut self) -> Result<T, Error> {
        self.take()
    }
}

/// A result on its way out.
pub struct Output<T>(pub T);

/// The first choice: the elements of a typed array.
pub trait WriteElements {
    /// Sets the result.
    fn write(&self, frame: &Frame<'_>) -> Result<(), Error>;
}

/// The second choice.
pub trait WriteBySerde {
    /// Sets the result.
    fn write(&self, frame: &Frame<'_>) -> Result<(), Error>;
}

/// Elements as a typed array.
struct Elements<'a, T>(&'a [T]);

impl<T: Element> Serialize for Elements<'_, T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        crate::arrays::serialize_elements(self.0, serializer)
    }
}

macro_rules! elements {
    ($($type:ty)*) => {
        $(impl<T: Element> WriteElements for &Output<$type> {
            fn write(&self, frame: &Frame<'_>) -> Result<(), Error> {
                frame.set_output(&Elements(&self.0))
            }
        })*
    };
}

elements!(Vec<T> Box<[T]> &[T] &mut [T]);

impl<T: Serialize> WriteBySerde for Output<T> {
    fn write(&self, frame: &Frame<'_>) -> Result<(), Error> {
        frame.set_output(&self.0)
    }
}
