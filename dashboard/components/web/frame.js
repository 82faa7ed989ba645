// The frame of every page: mode, price source, market phase with its countdown, age of the data. Counts by itself.

class Frame {
  constructor(root) {
    this.bar = root.querySelector(".bar")
    this.parts = Object.fromEntries(
      ["mode", "source", "phase", "feed", "age", "problem", "login", "halted", "bell"].map(name => [name, root.querySelector(`.${name}`)]),
    )
    this.notices = new Notices(root, this.parts.bell)
    this.keys = new Keys(wanted => this.component.setTriggerValue("wanted", wanted))
    this.parts.login.onclick = event => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return
      event.preventDefault() // the desk's own way: a new document would forget what is typed
      this.component.setTriggerValue("wanted", { page: "login" })
    }
  }

  receive() {
    this.keys.listen()
    this.parts.halted.hidden = !this.data.halted
    this.parts.login.hidden = !this.data.login
    this.notices.take(this.data.news ?? [])
    const { mode, tone, meaning, source, source_help } = this.data
    this.bar.dataset.tone = tone
    setText(this.parts.mode, mode)
    this.parts.mode.title = meaning
    setText(this.parts.source, source)
    this.parts.source.title = source_help
    if (this.data.push) live.show(this, this.data.push, this.data.keys, [])
    this.tick()
  }

  live() { this.tick() }

  news(list) { this.notices.take(list) }

  close() {
    live.hide(this)
    this.keys.rest()
  }

  // The newest price, by whichever way it came: how long ago, and whether by the live feed.
  newest() {
    let newest = this.data.age === null ? null : { age: this.data.age + sinceArrival(this), feed: this.data.age_of_feed }
    if (!this.data.push || !live.known) return newest
    for (const { values, at, now } of live.rows.values()) {
      const age = (now - values[FIELD.received_ms]) / 1000 + secondsSince(at, this.data)
      if (newest === null || age < newest.age) newest = { age, feed: values[FIELD.from_feed] }
    }
    return newest
  }

  // The newest price in words. Where nothing is in session, what the broker repeats is not new for having come again.
  ageWords(seconds, old) {
    const made = this.data.in_session || old ? null : this.made()
    if (made !== null) return ["made", `Newest price ${madeText(made, this.data.now + sinceArrival(this) * 1000)}`]
    return [old ? "old" : "fresh", `Prices ${ageText(seconds)} old${old ? ", not current" : ""}`]
  }

  made() {
    let made = this.data.made
    if (this.data.push) for (const { values } of live.rows.values()) made = Math.max(made, values[FIELD.last_trade_ms])
    return made || null
  }

  drawFeed() {
    const { live: good, state, why } = feedWord(this.data)
    setText(this.parts.feed, good ? "Feed live" : `Feed: ${state === "connected" ? "mute" : state}`)
    this.parts.feed.dataset.state = good ? "live" : state === "off" ? "off" : "away"
    this.parts.feed.title = good
      ? "Prices come as they change"
      : `${why ? `${why}. ` : ""}Prices are asked for every few seconds instead.`
    setText(this.parts.problem, this.data.problem ?? (good || !why ? "" : why.charAt(0).toUpperCase() + why.slice(1)))
  }

  tick() {
    const { phase, phase_state, phase_help, phase_left, phase_then, phase_doubt, in_session } = this.data
    const later = sinceArrival(this)
    const quiet = silentSeconds(this)
    const silent = isSilent(this)
    this.drawFeed()
    const time = phase_left === null ? "" : countdownText(phase_left - later)
    const left = !time ? "" : phase_then ? ` · ${phase_then} in\u00a0${time}` : ` · ${time}\u00a0left`
    setText(this.parts.phase, `${phase}${left}${phase_doubt ? ` · ${phase_doubt}` : ""}`)
    this.parts.phase.dataset.doubt = phase_doubt ?? ""
    this.parts.phase.title = phase_help
    this.parts.phase.dataset.state = phase_state
    const newest = this.newest()
    const now = newest === null ? null : newest.age
    const troubled = Boolean(this.data.problem)
    const old = newest !== null && isOld({ ...newest, troubled, moves: in_session }, this.data)
    const [state, words] = silent
      ? ["lost", `No word from the desk for ${ageText(quiet)}`]
      : now === null
        ? ["none", "No prices yet"]
        : this.ageWords(now, old)
    this.parts.age.dataset.state = state
    setText(this.parts.age, words)
    this.parts.age.title = state === "made"
      ? `When the newest price was made; it came in from the broker ${ageText(now)} ago`
      : "How long ago the newest price came in from the broker"
  }
}

// Seconds matter only in the last ten minutes; a time is not broken over two lines.
function countdownText(seconds) {
  const text = seconds < 600 || seconds >= 3600 ? durationText(seconds) : `${Math.floor(seconds / 60)} min`
  return text.replaceAll(" ", "\u00a0")
}

export default function (component) {
  return viewOf(component, root => new Frame(root))
}
