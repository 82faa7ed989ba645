// The frame of every page: mode, price source, market phase with its countdown, age of the data. Counts by itself.

class Frame {
  constructor(root) {
    this.bar = root.querySelector(".bar")
    this.parts = Object.fromEntries(
      ["mode", "source", "phase", "age", "problem"].map(name => [name, root.querySelector(`.${name}`)]),
    )
  }

  receive() {
    const { mode, tone, meaning, source, source_help, problem } = this.data
    this.bar.dataset.tone = tone
    setText(this.parts.mode, mode)
    this.parts.mode.title = meaning
    setText(this.parts.source, source)
    this.parts.source.title = source_help
    setText(this.parts.problem, problem ?? "")
    this.tick()
  }

  tick() {
    const { phase, phase_state, phase_help, phase_left, age, in_session, stale_after } = this.data
    const later = sinceArrival(this)
    const quiet = (performance.now() - this.arrived) / 1000
    const silent = quiet > (this.data.silent_after ?? 10)
    const left = phase_left === null ? "" : ` · ${durationText(phase_left - later)} left`
    setText(this.parts.phase, `${phase}${left}`)
    this.parts.phase.title = phase_help
    this.parts.phase.dataset.state = phase_state
    const now = age === null ? null : age + later
    const state = silent ? "lost" : now === null ? "none" : this.data.problem || (in_session && now > stale_after) ? "old" : "fresh"
    this.parts.age.dataset.state = state
    setText(
      this.parts.age,
      silent
        ? `No word from the desk for ${ageText(quiet)}`
        : now === null
          ? "No prices yet"
          : `Prices ${ageText(now)} old${state === "old" ? ", not current" : ""}`,
    )
    this.parts.age.title = "How long ago the newest price came in from the broker"
  }
}

export default function (component) {
  return viewOf(component, root => new Frame(root))
}
