// One push channel for the whole page, shared by its components: each says what it shows, and hears what changed.
// Stands between shared.js and the component's own script. The order of a row's members comes with the data.

const FIRST_PAUSE = 500
const LONGEST_PAUSE = 10000
const SILENT_MS = 3000

class LiveHub {
  constructor() {
    this.viewers = new Map() // viewer -> { rows: Set, depth: Set }
    this.rows = new Map() // key -> { values, at }
    this.depth = new Map()
    this.socket = null
    this.said = ""
    this.pause = FIRST_PAUSE
    this.heard = -Infinity // when anything came last
    this.feed = null
    this.known = false // did it ever hear anything?
    this.painted = 0
  }

  // `viewer` has live(keys) called with the keys whose rows or depth changed, and shows `rows` and `depth` (keys).
  show(viewer, push, rows, depth) {
    this.push = push
    this.viewers.set(viewer, { rows: new Set(rows), depth: new Set(depth) })
    clearTimeout(this.ending)
    if (this.socket) this.say()
    else if (!this.waiting) this.open()
  }

  // The next view of the page may come a moment later: the connection stays that long.
  hide(viewer) {
    this.viewers.delete(viewer)
    if (this.viewers.size === 0) this.ending = setTimeout(() => this.end(), 2000)
    else this.say()
  }

  get alive() { return performance.now() - this.heard < SILENT_MS }

  open() {
    this.waiting = null
    if (this.viewers.size === 0 || !this.push) return
    const socket = new WebSocket(location.origin.replace(/^http/, "ws") + this.push.path)
    this.socket = socket
    this.said = ""
    socket.onopen = () => this.say()
    socket.onmessage = event => this.receive(JSON.parse(event.data))
    socket.onclose = () => {
      if (this.socket !== socket) return
      this.socket = null
      if (this.viewers.size === 0) return
      this.waiting = setTimeout(() => this.open(), this.pause * (0.7 + 0.6 * Math.random()))
      this.pause = Math.min(this.pause * 2, LONGEST_PAUSE)
      this.tellAll()
    }
  }

  end() {
    if (this.viewers.size > 0) return
    clearTimeout(this.waiting)
    this.waiting = null
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
    const wish = { rows: [...rows].sort(), depth: [...depth].sort() }
    const text = JSON.stringify(wish)
    if (text === this.said) return
    const first = this.said === ""
    this.said = text
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
    for (const viewer of this.viewers.keys()) viewer.live(changed)
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
        if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify({ t: "painted", n: number }))
      }
      channel.port2.postMessage(null)
    })
  }

  tellAll() {
    for (const viewer of this.viewers.keys()) viewer.live(new Set())
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

// Is a price old that came `age` seconds ago? While the feed is alive its last word is the truth, however long ago.
function isOld(fromFeed, moves, age, data) {
  if (!moves) return false
  if (data.push && fromFeed && live.alive) return !live.feed.live
  return age > data.stale_after
}

const live = (globalThis.deskLive ??= new LiveHub())
