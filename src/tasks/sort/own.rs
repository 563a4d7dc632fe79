//! Sorting memory of the task's own.

use super::key::Key;
use super::order::{self, Float, Order, Signed, Unsigned};
use super::{counting, wide};
use crate::error::{Code, Error, Result};
use crate::tasks::Context;
use crate::value::{Bytes, BytesKind};

/// Sorts the elements of private memory.
pub(super) fn sort(bytes: &mut Bytes, context: &Context<'_>) -> Result<()> {
    context.checkpoint()?;
    let kind = bytes.kind();
    let memory = bytes.as_mut_slice();
    match kind {
        BytesKind::Uint8 | BytesKind::Uint8Clamped | BytesKind::Buffer => {
            counting::sort8::<Unsigned>(memory, context)
        }
        BytesKind::Int8 => counting::sort8::<Signed>(memory, context),
        BytesKind::Uint16 => counting::sort16::<Unsigned>(elements(memory)?, context),
        BytesKind::Int16 => counting::sort16::<Signed>(elements(memory)?, context),
        BytesKind::Float16 => counting::sort16::<Float>(elements(memory)?, context),
        BytesKind::Uint32 => wide::<u32, Unsigned>(elements(memory)?, context),
        BytesKind::Int32 => wide::<u32, Signed>(elements(memory)?, context),
        BytesKind::Float32 => wide::<u32, Float>(elements(memory)?, context),
        BytesKind::BigUint64 => wide::<u64, Unsigned>(elements(memory)?, context),
        BytesKind::BigInt64 => wide::<u64, Signed>(elements(memory)?, context),
        BytesKind::Float64 => wide::<u64, Float>(elements(memory)?, context),
        BytesKind::ArrayBuffer | BytesKind::DataView => {
            Err(Error::new(Code::Internal, "the input of 'sort' was not checked; please report it"))
        }
    }
}

fn elements<T: bytemuck::Pod>(memory: &mut [u8]) -> Result<&mut [T]> {
    bytemuck::try_cast_slice_mut(memory).map_err(|error| {
        Error::new(Code::Internal, format!("memory of a typed array is not as it should be: {error}"))
    })
}

fn wide<K: Key, O: Order<K>>(bits: &mut [K], context: &Context<'_>) -> Result<()> {
    let (keys, range) = order::prepare::<K, O>(bits, context)?;
    wide::sort(keys, range, context, |sorted| order::restore::<K, O>(sorted))
}
