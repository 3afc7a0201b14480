interface Reservation {
  readonly item: string
  readonly count: number
}

/** What clients may call, before and after. */
export interface Stock {
  reserve(args: Reservation): Reservation & { readonly by: string }
}

/** The service as it is now: the same method of the same version, under another server name. */
export const stockEndpoint = {
  target: { version: '1.1' },
  reserve: (_context: object, { item, count }: Reservation): ReturnType<Stock['reserve']> => ({
    item,
    count,
    by: 'node',
  }),
}
