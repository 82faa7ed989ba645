// One push channel for the whole page, shared by its components: each says what it shows, and hears what changed.
// Stands between shared.js and the component's own script. The order of a row's members comes with the data.

const FIRST_PAUSE = 500
const LONGEST_PAUSE = 10000
const SILENT_MS = 3000
const DEAD_MS = 6000 // the desk speaks every second
const SLEPT_MS = 5000
const NOT_ADMITTED = 4401
const SIGNED_OUT = 4403
const MOST_ROWS = 2000 // both as in dashboard/push/messages.py
const MOST_DEPTHS = 20

class LiveHub {
  constructor() {
    this.viewers = new Map() // viewer -> { rows, depth, text }
    this.rows = new Map() // key -> { values, at }
    this.depth = new Map()
    this.socket = null
    this.said = ""
    this.pause = FIRST_PAUSE
    this.heard = -Infinity // when anything came last
    this.feed = null
    this.known = false // did it ever hear anything?
    this.painted = 0
    globalThis.addEventListener("online", () => this.hurry())
    document.addEventListener("visibilitychange", () => this.hurry())
  }

  // `viewer` has live(keys) called with the keys whose rows or depth changed, and shows `rows` and `depth` (keys).
  show(viewer, push, rows, depth) {
    const before = this.viewers.get(viewer)
    const text = JSON.stringify([rows, depth])
    const admitted = this.push?.token !== push.token // another secret opens where the last one may not have
    this.push = push
    this.viewers.set(viewer, { rows, depth, text })
    clearTimeout(this.ending)
    if (!this.watching) this.watch()
    if (!this.socket && (admitted || !this.waiting)) this.open()
    else if (before?.text !== text) this.say()
  }

  // The next view of the page may come a moment later: the connection stays that long.
  hide(viewer) {
    if (!this.viewers.delete(viewer)) return
    clearTimeout(this.ending)
    if (this.viewers.size === 0) this.ending = setTimeout(() => this.end(), 2000)
    else this.say()
  }

  get alive() { return performance.now() - this.heard < SILENT_MS }

  open() {
    clearTimeout(this.waiting)
    this.waiting = null
    if (this.viewers.size === 0 || !this.push) return
    const socket = new WebSocket(location.origin.replace(/^http/, "ws") + this.push.path)
    this.socket = socket
    this.opened = performance.now()
    this.said = ""
    let opened = false
    socket.onopen = () => { opened = true; if (this.socket === socket) this.say() }
    socket.onmessage = event => { if (this.socket === socket) this.receive(JSON.parse(event.data)) }
    socket.onclose = event => { if (this.socket === socket) this.lost(event.code, opened) }
  }

  lost(code, opened) {
    this.socket = null
    if (code === SIGNED_OUT) location.reload() // what answers now is the sign-in
    else if (!opened) this.ask()
    if (this.viewers.size === 0) return
    // The next secret comes with the page, unless it has come while the last one was being refused.
    if (code === NOT_ADMITTED) this.pause = this.shown === this.push?.token ? LONGEST_PAUSE : FIRST_PAUSE
    this.waiting = setTimeout(() => this.open(), this.pause * (0.7 + 0.6 * Math.random()))
    this.pause = Math.min(this.pause * 2, LONGEST_PAUSE)
    this.tellAll(new Set())
  }

  // A browser does not tell why a connection was refused. Where the sign-in is over, the page itself is refused too.
  ask() {
    fetch(location.pathname, { method: "HEAD", cache: "no-store" })
      .then(answer => { if (answer.status === 401) location.reload() })
      .catch(() => {}) // nobody there: another try comes by itself
  }

  // A connection that nobody has closed may be dead all the same: a cut cable, a laptop that slept. Timers stand still
  // in a sleep and performance.now() may, the time of day does not.
  watch() {
    let wall = Date.now()
    let clock = performance.now()
    this.watching = setInterval(() => {
      const slept = Date.now() - wall - (performance.now() - clock) > SLEPT_MS
      wall = Date.now()
      clock = performance.now()
      if (slept) this.heard = -Infinity
      if (this.socket && (slept || clock - Math.max(this.heard, this.opened) > DEAD_MS)) {
        const socket = this.socket
        this.lost(undefined, true)
        socket.close()
      }
    }, 1000)
  }

  hurry() {
    if (this.waiting && document.visibilityState === "visible") this.open()
  }

  end() {
    if (this.viewers.size > 0) return
    clearTimeout(this.waiting)
    clearInterval(this.watching)
    this.waiting = this.watching = null
    const socket = this.socket
    this.socket = null
    socket?.close()
    this.rows.clear()
    this.depth.clear()
    this.heard = -Infinity
  }

  say() {
    if (this.socket?.readyState !== WebSocket.OPEN) return
    const rows = new Set(), depth = new Set()
    for (const wish of this.viewers.values()) {
      wish.rows.forEach(key => rows.add(key))
      wish.depth.forEach(key => depth.add(key))
    }
    const wish = { rows: [...rows].slice(0, MOST_ROWS).sort(), depth: [...depth].slice(0, MOST_DEPTHS).sort() }
    const text = JSON.stringify(wish)
    if (text === this.said) return
    const first = this.said === ""
    this.said = text
    if (first) this.shown = this.push.token
    this.socket.send(JSON.stringify(first ? { t: "hello", token: this.push.token, ...wish } : { t: "want", ...wish }))
  }

  receive(message) {
    this.pause = FIRST_PAUSE
    this.heard = performance.now()
    this.feed = message.feed
    this.known = true
    if (message.t === "state") { this.rows.clear(); this.depth.clear() }
    for (const [key, values] of Object.entries(message.rows)) this.rows.set(key, { values, at: this.heard, now: message.now })
    for (const [key, values] of Object.entries(message.depth)) this.depth.set(key, { values, at: this.heard, now: message.now })
    const changed = new Set([...Object.keys(message.rows), ...Object.keys(message.depth)])
    this.tellAll(changed)
    if (message.news) for (const viewer of this.viewers.keys()) viewer.news?.(message.news)
    if (changed.size > 0) this.report(message.n)
  }

  // A sample of what was drawn is told back, so that the way of a price to the screen can be measured.
  report(number) {
    const now = performance.now()
    if (now - this.painted < 1000 || document.visibilityState !== "visible") return
    this.painted = now
    requestAnimationFrame(() => {
      const channel = new MessageChannel() // its message comes after the frame was painted
      channel.port1.onmessage = () => {
        channel.port1.close()
        if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify({ t: "painted", n: number }))
      }
      channel.port2.postMessage(null)
    })
  }

  // A viewer that fails must not keep the others from hearing it.
  tellAll(changed) {
    for (const viewer of [...this.viewers.keys()]) {
      try {
        viewer.live(changed)
      } catch (error) {
        console.error(error)
      }
    }
  }
}

// Seconds of the desk's clock since the instant `at` of performance.now().
function secondsSince(at, data) {
  return ((performance.now() - at) / 1000) * (data.speed ?? 1)
}

// How long nothing came from the desk, by either way, in real seconds.
function silentSeconds(view) {
  return (performance.now() - Math.max(view.arrived, view.data.push ? live.heard : -Infinity)) / 1000
}

// Has the desk itself fallen silent? The push channel is heard every second, so its silence tells sooner.
function isSilent(view) {
  const seconds = silentSeconds(view)
  if (view.data.push && live.known && !live.alive) return seconds > SILENT_MS / 1000
  return seconds > (view.data.silent_after ?? 10)
}

// How the live feed does (`live`, `state`, `why`), by whichever way it was told.
function feedWord(data) {
  return (data.push && live.alive && live.feed) || data.word || { live: false, state: "off", why: "" }
}

// Is a price no longer current that came `age` seconds ago? `feed`: by the live feed, whose last word is the truth for
// as long as it lives, however long ago that was; without it nobody knows. `troubled`: asking for it has failed.
// `moves`: its market is in session.
function isOld({ feed, troubled, moves, age }, data) {
  if (feed && feedWord(data).live) return false
  return troubled || (moves && (feed || age > data.stale_after))
}

const DAY_IN_INDIA = new Intl.DateTimeFormat("en-GB", {
  timeZone: "Asia/Kolkata", weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23",
})

// When a price was made, as told at `now`: 15:28 today, Fri 15:28 within a week, 13 Nov 15:28 before. Epoch milliseconds.
function madeText(ms, now) {
  const [made, today] = [ms, now].map(one => Object.fromEntries(DAY_IN_INDIA.formatToParts(one).map(({ type, value }) => [type, value])))
  const time = `${made.hour}:${made.minute}`
  if (now - ms < 86400000 && made.day === today.day) return time
  return now - ms < 6 * 86400000 ? `${made.weekday} ${time}` : `${made.day} ${made.month} ${time}`
}

// The instant at which the price of `row` was made, where its age since it came would mislead: its market is not in
// session and broker and feed still repeat it. Otherwise `null`: the age tells.
function madeAt(row) {
  return row.m || !row.p || row.a === null ? null : row.p
}

// The cell that tells it: the age, or when the price was made. What is `old` for another reason tells the age.
function priceAge(row, age, old) {
  if (age === null) return MISSING
  const made = old ? null : madeAt(row)
  return made === null ? `${ageText(age)}${old ? " old" : ""}` : madeText(made, row.now)
}

// The same as part of a sentence.
function sinceText(row, age, old) {
  const made = old ? null : madeAt(row)
  return made === null ? `${ageText(age)} old${old ? ", not current" : ""}` : `as of ${madeText(made, row.now)}`
}

// By what such cells are put in order: the largest is the oldest.
function ageOrder(row) {
  if (row.a === null) return null
  const made = madeAt(row)
  return (made === null ? row.a : (row.now - made) / 1000) - row.at / 1000
}

// The newest price of those `rows` (with `age` in seconds each) in words. What moves counts, if anything does; when a
// price came that nobody says when it was made, only where there is no other.
function newestText(rows) {
  let age = null, made = null, came = null
  for (const { row, age: seconds } of rows) {
    if (seconds === null) continue
    const at = madeAt(row)
    if (at === null && row.m) age = Math.min(age ?? seconds, seconds)
    else if (at === null) came = Math.min(came ?? seconds, seconds)
    else if (made === null || at > made.at) made = { at, now: row.now }
  }
  if (age === null && made !== null) return `as of ${madeText(made.at, made.now)}`
  const young = age ?? came
  return young === null ? "not there yet" : `${ageText(young)} old`
}

const live = (globalThis.deskLive ??= new LiveHub())
