type Args = Readonly<Record<string, unknown>>

/** An error whose keyword arguments travel with it. */
export class ErrorWithKwargs extends Error {
  readonly kwargs: Args
  constructor(message: string, kwargs: Args = {}) {
    super(message)
    this.kwargs = kwargs
  }
}

/** The twin of DemoError in interop/peers/demo_errors.py: rebuilt there when the module is allowed. */
export class DemoError extends ErrorWithKwargs {
  static readonly module = 'demo_errors'
  override readonly name = 'DemoError'
}

/** The twin of PickyError: what travels is not enough to rebuild it. */
export class PickyError extends ErrorWithKwargs {
  static readonly module = 'demo_errors'
  override readonly name = 'PickyError'
  constructor(name: string, code: number | null) {
    if (typeof code === 'object' && code !== null) throw new TypeError('what travels is not what it is made of')
    super(`picky ${name}/${code ?? 'None'}`, { name, code })
  }
}
