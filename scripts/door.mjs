// The front door: `npm start`, `npm test`, `npm run brokers`, `npm run bench`, `npm run interop`. Needs Node and npm,
// nothing else. This file stays readable for old Nodes, so that they can say what they lack; everything else is
// imported after the check.

/** What the tools and the packages need (package.json, engines). */
const OLDEST = [20, 19]

const [major, minor] = process.versions.node.split('.').map(Number)
if (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1])) {
  console.error(
    'This is Node ' +
      process.versions.node +
      '; Node ' +
      OLDEST.join('.') +
      ' or newer is needed. Install it (nvm install 22, or https://nodejs.org) and run the command again.',
  )
  process.exitCode = 1
} else {
  import('./door/jobs.mjs')
    .then((jobs) => jobs.run(process.argv[2], process.argv.slice(3)))
    .then(
      (code) => process.exit(code),
      (error) => {
        console.error(error.expected === true ? error.message : error)
        process.exit(1)
      },
    )
}
