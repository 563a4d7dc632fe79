//! The attribute of `rust-workers-task`, which re-exports it and documents what tasks can do.

use proc_macro::TokenStream;
use proc_macro2::TokenStream as Tokens;
use quote::{format_ident, quote, quote_spanned};
use syn::meta::ParseNestedMeta;
use syn::spanned::Spanned;
use syn::{Error, FnArg, GenericParam, ItemFn, LitStr, Result, Safety, Type, parse_macro_input};

/// Makes a function a task: `pool.run` finds it by its name.
///
/// The function takes its input, or nothing, and at its end, if it wants it, the context: `context: &Context`. It returns a value, or a
/// `Result` whose error is an `Error`, implements `std::error::Error`, or can be displayed. It stays a function that can be called.
///
/// Options, as in `#[task(name = "blur", parallel)]`:
///
/// * `name = "…"`: its name for `pool.run`. Default: the function's.
/// * `takes = "…"`: completes "task '…' takes …" in the error for an input that it does not take.
/// * `in_place`: it changes shared memory of its input; no other native task has that memory meanwhile.
/// * `atomic`: it uses shared memory of its input by atomic operations, with others at the same time.
/// * `parallel`: it uses `parallel_for`.
#[proc_macro_attribute]
pub fn task(attribute: TokenStream, item: TokenStream) -> TokenStream {
    let mut options = Options::default();
    let parser = syn::meta::parser(|meta| options.read(&meta));
    parse_macro_input!(attribute with parser);
    let function = parse_macro_input!(item as ItemFn);
    let glue = glue(&options, &function).unwrap_or_else(|error| error.to_compile_error());
    quote!(#function #glue).into()
}

#[derive(Default)]
struct Options {
    name: Option<LitStr>,
    takes: Option<LitStr>,
    in_place: bool,
    parallel: bool,
    atomic: bool,
}

impl Options {
    fn read(&mut self, meta: &ParseNestedMeta<'_>) -> Result<()> {
        let name = meta.path.get_ident().map(ToString::to_string).unwrap_or_default();
        match name.as_str() {
            "name" => self.name = Some(text(meta)?),
            "takes" => self.takes = Some(text(meta)?),
            "in_place" => self.in_place = true,
            "parallel" => self.parallel = true,
            "atomic" => self.atomic = true,
            _ => {
                return Err(
                    meta.error("the options are: name = \"…\", takes = \"…\", in_place, parallel, atomic")
                );
            }
        }
        if self.in_place && self.atomic {
            return Err(meta.error(
                "a task is in_place (nobody else has the memory) or atomic (others have it), not both",
            ));
        }
        Ok(())
    }

    /// `RW_TASK_…`.
    fn flags(&self) -> u32 {
        u32::from(self.in_place) | u32::from(self.parallel) << 1 | u32::from(self.atomic) << 2
    }
}

fn text(meta: &ParseNestedMeta<'_>) -> Result<LitStr> {
    let text: LitStr = meta.value()?.parse()?;
    if text.value().is_empty() || text.value().contains('\0') {
        return Err(Error::new(text.span(), "this text must not be empty, nor have a zero character"));
    }
    Ok(text)
}

/// Whether it is `&Context`, however it is reached.
fn is_context(argument: &FnArg) -> bool {
    let FnArg::Typed(argument) = argument else { return false };
    let Type::Reference(reference) = &*argument.ty else { return false };
    let Type::Path(path) = &*reference.elem else { return false };
    path.path.segments.last().is_some_and(|last| last.ident == "Context")
}

fn refuse(function: &ItemFn) -> Result<()> {
    let signature = &function.sig;
    let no = |span, why: &str| Err(Error::new(span, why));
    if let Some(word) = &signature.asyncness {
        return no(word.span(), "a task is no async function: it has its thread to itself, and may block");
    }
    if let Safety::Unsafe(word) = &signature.safety {
        return no(word.span(), "a task is called by safe code: make it a safe function");
    }
    let is_type = |parameter: &&GenericParam| !matches!(parameter, GenericParam::Lifetime(_));
    if let Some(parameter) = signature.generics.params.iter().find(is_type) {
        return no(
            parameter.span(),
            "a task has one input type: write a function for each, and call this one in them",
        );
    }
    if let Some(FnArg::Receiver(receiver)) = signature.inputs.first() {
        return no(receiver.span(), "a task is a function, and no method");
    }
    let inputs: Vec<_> = signature.inputs.iter().filter(|argument| !is_context(argument)).collect();
    if let Some(second) = inputs.get(1) {
        return no(
            second.span(),
            "a task has one input: make these a struct, or a tuple (an array in JavaScript)",
        );
    }
    if signature.inputs.iter().take(signature.inputs.len().saturating_sub(1)).any(is_context) {
        return no(signature.inputs.span(), "the context comes last");
    }
    Ok(())
}

fn glue(options: &Options, function: &ItemFn) -> Result<Tokens> {
    refuse(function)?;
    let ident = &function.sig.ident;
    let plain = ident.to_string();
    let name =
        options.name.clone().unwrap_or_else(|| LitStr::new(plain.trim_start_matches("r#"), ident.span()));
    let takes = options.takes.as_ref().map_or_else(String::new, LitStr::value);
    let flags = options.flags();
    let cfgs = function.attrs.iter().filter(|attribute| attribute.path().is_ident("cfg"));

    let has_context = function.sig.inputs.last().is_some_and(is_context);
    let input = function.sig.inputs.first().filter(|argument| !is_context(argument));
    let frame = format_ident!("frame");
    // Errors about the types point at the types.
    let read = input.map(|argument| {
        let of = if has_context { quote!(input_before_context) } else { quote!(input_of) };
        quote_spanned!(argument.span()=> (&&__private::#of(#ident)).read(#frame)?)
    });
    let context = has_context.then(|| quote!(#frame.context()));
    let arguments = read.into_iter().chain(context);
    let write = quote_spanned!(function.sig.output.span()=> (&&__private::Output(output)).write(#frame));

    Ok(quote! {
        #(#cfgs)*
        const _: () = {
            use ::rust_workers_task::__private;
            #[allow(unused_imports)]
            use ::rust_workers_task::__private::{
                ReadBySerde as _, ReadDirect as _, SplitDisplay as _, SplitError as _, SplitNothing as _,
                WriteBySerde as _, WriteElements as _,
            };
            fn run<'f>(#frame: &'f __private::Frame<'f>) -> ::core::result::Result<(), ::rust_workers_task::Error> {
                #[allow(clippy::unit_arg, clippy::let_unit_value)]
                let returned = #ident(#(#arguments),*);
                let mut returned = __private::Returned(::core::option::Option::Some(returned));
                #[allow(clippy::let_unit_value)]
                let output = (&mut &mut &mut returned).split()?;
                #write
            }
            __private::inventory::submit! {
                __private::Registration {
                    name: #name,
                    takes: #takes,
                    flags: #flags,
                    run,
                    package: (::core::env!("CARGO_PKG_NAME"), ::core::env!("CARGO_PKG_VERSION")),
                    place: (::core::file!(), ::core::line!()),
                }
            }
        };
    })
}
