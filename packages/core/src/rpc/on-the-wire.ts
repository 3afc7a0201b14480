declare const revived: unique symbol

/** A value that the `serializer` of both sides makes again on arrival, so that `OnTheWire` leaves it as it is:
 *  `build(args: Args): Revived<Date>`. Only the compiler sees the mark. */
export type Revived<T> = T & { readonly [revived]?: true }

type AnyFunction = (...args: never[]) => unknown
/** What is never written. */
type Unwritten = AnyFunction | symbol

/** What arrives where `T` was sent: a Date as text, a Map as an object, a Set as a list, bytes and errors as text,
 *  undefined as null (left out as a field), an object with `toJSON` as what that gives, a bigint as a number where that
 *  holds it. `never` for what cannot be sent: functions, symbols. **A `number` stays a number here, although a whole
 *  number from 2^53 up arrives as bigint** (`2 ** 60`, a counter of Python's): the type of every sum would suffer for
 *  what is rare.
 *  Declare `number | bigint` or `bigint` where such numbers occur. Source: docs/values.md. */
export type OnTheWire<T> = unknown extends T ? T : Written<T>

type Written<T> = T extends string | number | boolean | null
  ? T
  : T extends bigint
    ? number | bigint
    : T extends undefined | void
      ? null
      : T extends Unwritten
        ? never
        : typeof revived extends keyof T
          ? T
          : T extends Date | Uint8Array
            ? string
            : T extends { toJSON(...args: never[]): infer J }
              ? OnTheWire<J>
              : T extends Error
                ? string
                : T extends ReadonlyMap<unknown, infer V>
                  ? Record<string, OnTheWire<V>>
                  : T extends readonly (infer I)[]
                    ? List<T, I>
                    : T extends Iterable<infer I>
                      ? OnTheWire<I>[]
                      : Flat<RequiredFields<T> & OptionalFields<T>>

/** Tuples keep their places. Lists are told apart, because a mapped one is made at once, which types that contain
 *  themselves do not survive. */
type List<T extends readonly unknown[], I> = number extends T['length']
  ? T extends unknown[]
    ? OnTheWire<I>[]
    : readonly OnTheWire<I>[]
  : { [K in keyof T]: OnTheWire<T[K]> }

/** Fields that may be undefined are left out then. */
type RequiredFields<T> = {
  [K in keyof T as MayBeAbsent<T[K]> extends true ? never : NameOnTheWire<K, T[K]>]: OnTheWire<T[K]>
}

type OptionalFields<T> = {
  [K in keyof T as MayBeAbsent<T[K]> extends true ? NameOnTheWire<K, T[K]> : never]?: OnTheWire<
    Exclude<T[K], undefined>
  >
}

type MayBeAbsent<V> = unknown extends V ? false : undefined extends V ? true : false
type NameOnTheWire<K, V> = K extends symbol ? never : V extends Unwritten ? never : K
type Flat<T> = { [K in keyof T]: T[K] }
