/** `expect<Equal<A, B>>()` compiles only when A and B are the same type, and not merely assignable. */
export type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** Never runs: the types are what is tested. */
export declare function expect<_Holds extends true>(): void;
