// The events of a call as the inspector lists them. It draws nothing.
//
// Rule: at most `most` rows are kept, the newest; a row that comes again takes its own place. While
// it is paused, what comes is kept and not shown.

export class EventList {
  constructor(most = 2000) {
    this.most = most;
    this.rows = []; // as the app sends them, by their numbers
    this.text = "";
    this.direction = "";
    this.held = null; // the rows that were shown when it was paused
  }

  // Takes rows { number, at, direction, type, count, bytes, event }, in any order.
  take(rows) {
    const fresh = [];
    for (const row of rows) {
      const place = this.find(row.number);
      if (place === -1) fresh.push(row);
      else this.rows[place] = row;
    }
    if (fresh.length === 0) return;
    const all = this.rows.concat(fresh).sort((one, other) => one.number - other.number);
    this.rows = all.slice(-this.most);
  }

  // Where the row of this number is; they are in order.
  find(number) {
    let [low, high] = [0, this.rows.length - 1];
    while (low <= high) {
      const middle = (low + high) >> 1;
      const found = this.rows[middle].number;
      if (found === number) return middle;
      if (found < number) low = middle + 1;
      else high = middle - 1;
    }
    return -1;
  }

  clear() {
    this.rows = [];
    if (this.held) this.held = [];
  }

  pause(on) {
    this.held = on ? [...this.rows] : null;
  }

  // The rows to show: of a direction ("sent", "received", "" for both), with a text in their type.
  get shown() {
    const rows = this.held || this.rows;
    const text = this.text.trim().toLowerCase();
    if (!text && !this.direction) return rows;
    return rows.filter(
      ({ type, direction }) =>
        type.toLowerCase().includes(text) && (!this.direction || direction === this.direction),
    );
  }

  // All of it, a line of JSON for each row.
  get jsonl() {
    return this.rows.map((row) => `${JSON.stringify(row)}\n`).join("");
  }
}

// Which rows of a list of equal heights are in view, and a few beside them: from, to (exclusive).
export function windowOf(scrollTop, height, rowHeight, count, beside = 8) {
  const first = Math.floor(scrollTop / rowHeight) - beside;
  const last = Math.ceil((scrollTop + height) / rowHeight) + beside;
  return [Math.min(count, Math.max(0, first)), Math.max(0, Math.min(count, last))];
}

// Bytes for people.
export function sizeOf(bytes) {
  if (bytes < 1000) return `${bytes} B`;
  return bytes < 1_000_000
    ? `${(bytes / 1000).toFixed(1)} kB`
    : `${(bytes / 1_000_000).toFixed(1)} MB`;
}

// The time of day to the millisecond; `at` in Unix seconds.
export function clockOf(at) {
  const date = new Date(at * 1000);
  const two = (value) => String(value).padStart(2, "0");
  const time = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(":");
  return `${time}.${String(date.getMilliseconds()).padStart(3, "0")}`;
}
