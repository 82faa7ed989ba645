// Money and days in the words of the results page, as in dashboard/formatting.py. Days are plain dates of India.

const MONTH_NAMES = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
const DAY_NAMES = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]

function dayText(iso) {
  const [year, month, day] = iso.split("-").map(Number)
  return `${DAY_NAMES[new Date(Date.UTC(year, month - 1, day)).getUTCDay()]} ${day} ${MONTH_NAMES[month - 1]} ${year}`
}

function rupeeText(value, decimals = 2, signed = false) {
  const text = digits(value, decimals, signed)
  if (text === MISSING) return text
  return /^[+\u2212]/.test(text) ? `${text[0]}₹${text.slice(1)}` : `₹${text}`
}

function shortRupees(value) {
  const text = shortNumber(Math.abs(value))
  return `${value < 0 ? "\u2212" : ""}₹${text}`
}
