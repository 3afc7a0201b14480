// Datadog's agent, loaded as its manual says: before everything else. It sends nothing: nobody listens at its address.
process.env.DD_TRACE_STARTUP_LOGS = 'false'
process.env.DD_INSTRUMENTATION_TELEMETRY_ENABLED = 'false'
process.env.DD_REMOTE_CONFIGURATION_ENABLED = 'false'
process.env.DD_TRACE_AGENT_URL = 'http://127.0.0.1:9'
const tracer = require('dd-trace').init()

globalThis.agent = {
  /** Runs the work in a trace of its own; gives the id of that trace. */
  async inTrace(work) {
    return await tracer.trace('work', async (span) => {
      await work()
      return span.context().toTraceId(true)
    })
  },
  /** Id of the trace that is active here. */
  activeTrace: () => tracer.scope().active()?.context().toTraceId(true) ?? null,
}
