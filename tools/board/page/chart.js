// One chart: lines with bands of their extremes, marks, a cursor. It draws what it is given, and says what the reader does.
//
// A line is {run, colour, dash, width, x, y, low, high, faint, dots}: `low` and `high` are the extremes of buckets, `faint`
// what lies behind a smoothed line; any of them null, as what is not known of x and the others is. A picture is {lines, marks, from, to, axis, log}; a mark {x, number}.
class Chart {
  constructor({ title, format, height, events }) {
    Object.assign(this, { format, height, events, picture: null, cursor: null, drag: null });
    this.canvas = make('canvas');
    this.over = make('canvas', { className: 'over' });
    this.tip = make('div', { className: 'tip', hidden: true });
    this.plot = make('div', { className: 'plot', tabIndex: 0 }, this.canvas, this.over, this.tip);
    this.plot.setAttribute('role', 'img');
    this.plot.style.height = `${height}px`;
    this.readout = make('span', { className: 'readout' });
    this.title = title;
    this.figure = make('figure', { className: 'chart' }, make('figcaption', {}, make('h3', { textContent: title }), this.readout), this.plot);
    this.listen();
  }

  // --- What the reader does ------------------------------------------------------------------------------------------

  listen() {
    const at = (event) => event.clientX - this.plot.getBoundingClientRect().left;
    this.plot.addEventListener('pointerdown', (event) => {
      if (!this.x || event.button !== 0) return;
      this.drag = { from: at(event), to: at(event) };
      this.plot.setPointerCapture(event.pointerId);
    });
    this.plot.addEventListener('pointermove', (event) => {
      if (!this.x) return;
      if (this.drag) this.drag.to = at(event);
      this.events.hover(this, this.placeAt(at(event)));
    });
    this.plot.addEventListener('pointerup', () => {
      const drag = this.drag;
      this.drag = null;
      if (!drag || !this.x) return;
      const [from, to] = [drag.from, drag.to].sort((a, b) => a - b).map((place) => this.placeAt(place));
      if (Math.abs(drag.to - drag.from) > 8) this.events.zoom(from, to);
      else this.drawOver();
    });
    this.plot.addEventListener('pointercancel', () => { this.drag = null; this.events.hover(this, null); });
    this.plot.addEventListener('pointerleave', (event) => { if (event.pointerType === 'mouse' && !this.drag) this.events.hover(this, null); });
    this.plot.addEventListener('dblclick', () => this.events.zoom(null, null));
    this.plot.addEventListener('blur', () => this.events.hover(this, null));
    this.plot.addEventListener('keydown', (event) => this.press(event));
  }

  press(event) {
    if (!this.x || event.ctrlKey || event.metaKey || event.altKey) return;
    const { low, high } = this.x, range = high - low, step = range / (event.shiftKey ? 10 : 100);
    const now = this.cursor ?? (low + high) / 2;
    const to = { ArrowLeft: now - step, ArrowRight: now + step, Home: low, End: high }[event.key];
    if (to !== undefined) this.events.hover(this, Math.min(high, Math.max(low, to)), true);
    else if (event.key === '+' || event.key === '=') this.events.zoom(Math.max(low, now - range / 4), Math.min(high, now + range / 4));
    else if (event.key === '-') this.events.zoom(low - range / 2, high + range / 2);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  placeAt(pixel) {
    return Math.min(this.x.high, Math.max(this.x.low, this.x.from(Math.min(this.x.end, Math.max(this.x.begin, pixel)))));
  }

  // --- Drawing -------------------------------------------------------------------------------------------------------

  draw(picture) {
    this.picture = picture;
    const width = this.plot.clientWidth, height = this.height;
    if (!width) return;
    const context = this.context = this.sized(this.canvas, width, height);
    const [low, high] = this.range(picture);
    this.x = null;
    if (low === null || !(picture.to > picture.from)) return this.drawNothing(width, height);
    const log = picture.log && low > 0;
    const ticks = log ? logTicks(low, high, 5) : linearTicks(low, high, height > 200 ? 6 : 4);
    const texts = this.format ? ticks.map(this.format) : tickTexts(ticks);
    context.font = `11px ${colour('sans')}`;
    const left = Math.ceil(Math.max(...texts.map((text) => context.measureText(text).width), 20)) + 10;
    const labels = new Set(picture.lines.map(({ run }) => run)).size > 1;
    this.x = scale(picture.from, picture.to, left, width - (labels ? 26 : 10));
    this.y = scale(low, high, height - 22, picture.marks.length ? 26 : 8, log);
    this.drawGrid(ticks, texts, width, height);
    context.save();
    context.beginPath();
    context.rect(left - 1, 0, this.x.end - left + 2, height - 21);
    context.clip();
    for (const line of picture.lines) this.drawBand(line);
    for (const line of picture.lines) if (line.faint) this.stroke(line, line.faint, 1, 0.34);
    for (const line of picture.lines) {
      this.stroke(line, line.y, line.width, 1);
      if (line.dots) this.drawDots(line);
    }
    context.restore();
    this.drawMarks(picture.marks);
    if (labels) this.drawLabels(picture.lines);
    this.drawOver();
  }

  sized(canvas, width, height) {
    const ratio = window.devicePixelRatio || 1;
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    Object.assign(canvas.style, { width: `${width}px`, height: `${height}px` });
    const context = canvas.getContext('2d');
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    return context;
  }

  drawNothing(width, height) {
    this.context.font = `12px ${colour('sans')}`;
    this.context.fillStyle = colour('muted');
    this.context.textAlign = 'center';
    this.context.fillText('nothing here', width / 2, height / 2);
    this.drawOver();
  }

  // The smallest and the largest value that is to be seen, with some room.
  range({ lines, from, to, log }) {
    let low = Infinity, high = -Infinity;
    for (const line of lines) {
      const [begin, end] = within(line.x, from, to);
      for (const values of [line.y, line.low, line.high, line.faint])
        for (let i = begin; values && i < end; ++i) {
          const value = values[i];
          if (line.x[i] === null || value === null || !Number.isFinite(value) || (log && value <= 0)) continue;
          low = Math.min(low, value);
          high = Math.max(high, value);
        }
    }
    if (low > high) return [null, null];
    if (log) return low === high ? [low / 2, high * 2] : [low / (high / low) ** 0.03, high * (high / low) ** 0.03];
    const room = low === high ? Math.abs(low) / 10 || 1 : (high - low) * 0.04;
    // An axis that nearly reaches 0 does.
    const base = low >= 0 && low < 0.15 * (high - low) ? 0 : low - room;
    return [base, high + room];
  }

  drawGrid(ticks, texts, width, height) {
    const { context, x, y, picture } = this;
    Object.assign(context, { lineWidth: 1, strokeStyle: colour('line'), fillStyle: colour('muted'), textAlign: 'right', textBaseline: 'middle' });
    ticks.forEach((tick, i) => {
      const place = Math.round(y.to(tick)) + 0.5;
      context.beginPath();
      context.moveTo(x.begin, place);
      context.lineTo(x.end, place);
      context.stroke();
      context.fillText(texts[i], x.begin - 6, Math.max(6, place));
    });
    const count = Math.max(2, Math.floor((x.end - x.begin) / 90));
    const along = (picture.axis === 'seconds' ? timeTicks : linearTicks)(x.low, x.high, count)
      .filter((tick) => picture.axis !== 'step' || Number.isInteger(tick));
    const names = picture.axis === 'seconds' ? along.map(duration)
      : along.map((tick) => (picture.axis === 'tokens' || x.high >= 1e6 ? brief(tick) : grouped(tick)));
    Object.assign(context, { textAlign: 'center', textBaseline: 'alphabetic' });
    let free = 0;
    along.forEach((tick, i) => {
      const half = context.measureText(names[i]).width / 2;
      const place = Math.min(width - half - 1, Math.max(half + 1, x.to(tick)));
      if (place - half < free) return;
      context.fillText(names[i], place, height - 5);
      free = place + half + 8;
    });
  }

  // A path through what is finite and, on an axis of powers, above 0.
  trace(xs, values, visit) {
    const [begin, end] = within(xs, this.x.low, this.x.high);
    let drawing = false;
    for (let i = begin; i < end; ++i) {
      const value = values[i];
      if (xs[i] === null || value === null || (this.y.log && value <= 0)) { drawing = false; continue; }
      visit(this.x.to(xs[i]), this.y.to(value), drawing, i);
      drawing = true;
    }
  }

  stroke(line, values, width, alpha) {
    const { context } = this;
    Object.assign(context, { strokeStyle: line.colour, lineWidth: width, globalAlpha: alpha, lineJoin: 'round', lineCap: 'round' });
    context.setLineDash(alpha < 1 ? [] : line.dash);
    context.beginPath();
    this.trace(line.x, values, (x, y, drawing) => (drawing ? context.lineTo(x, y) : context.moveTo(x, y)));
    context.stroke();
    context.setLineDash([]);
    context.globalAlpha = 1;
  }

  drawBand(line) {
    if (!line.low) return;
    const { context } = this;
    const top = [], bottom = [];
    this.trace(line.x, line.high, (x, y) => top.push([x, y]));
    this.trace(line.x, line.low, (x, y) => bottom.push([x, y]));
    Object.assign(context, { fillStyle: line.colour, globalAlpha: 0.2 });
    context.beginPath();
    for (const [x, y] of [...top, ...bottom.reverse()]) context.lineTo(x, y);
    context.fill();
    context.globalAlpha = 1;
  }

  drawDots(line) {
    const { context } = this;
    context.fillStyle = line.colour;
    this.trace(line.x, line.y, (x, y) => {
      context.beginPath();
      context.arc(x, y, 3, 0, 2 * Math.PI);
      context.fill();
    });
  }

  drawMarks(marks) {
    const { context, x, y } = this;
    context.font = `600 10.5px ${colour('sans')}`;
    let free = -Infinity;
    for (const { x: at, number } of marks) {
      if (at < x.low || at > x.high) continue;
      const place = Math.round(x.to(at)) + 0.5;
      Object.assign(context, { strokeStyle: colour('alert'), lineWidth: 1, globalAlpha: 0.75 });
      context.setLineDash([2, 3]);
      context.beginPath();
      context.moveTo(place, 18);
      context.lineTo(place, y.begin);
      context.stroke();
      context.setLineDash([]);
      context.globalAlpha = 1;
      if (place < free) continue;
      const width = Math.max(17, context.measureText(number).width + 8);
      const left = Math.min(Math.max(place - width / 2, 0), x.end + 8 - width);
      context.fillStyle = colour('alert');
      context.beginPath();
      context.roundRect(left, 2, width, 16, 8);
      context.fill();
      Object.assign(context, { fillStyle: colour('on-alert'), textAlign: 'center', textBaseline: 'middle' });
      context.fillText(number, left + width / 2, 10.5);
      free = place + width + 2;
    }
  }

  // The numbers of the runs behind the ends of their lines; at the edge pushed apart where they would meet.
  drawLabels(lines) {
    const { context, x, y } = this, ends = new Map();
    for (const line of lines) this.trace(line.x, line.y, (along, place) => ends.set(line.run, { line, along, place }));
    const edge = ({ along }) => along > x.end - 14;
    const labels = [...ends.values()].filter(edge).sort((a, b) => a.place - b.place);
    const apart = 13, inside = (place) => Math.min(y.begin - 4, Math.max(y.end + 4, place));
    for (let i = 0; i < labels.length; ++i) labels[i].place = Math.max(inside(labels[i].place), i > 0 ? labels[i - 1].place + apart : 0);
    for (let i = labels.length - 1; i >= 0; --i)
      labels[i].place = Math.min(labels[i].place, i + 1 < labels.length ? labels[i + 1].place - apart : y.begin - 2);
    Object.assign(context, { textAlign: 'left', textBaseline: 'middle' });
    context.font = `650 11px ${colour('sans')}`;
    for (const end of ends.values()) {
      context.fillStyle = end.line.colour;
      context.fillText(end.line.run.id + 1, edge(end) ? x.end + 6 : end.along + 6, end.place);
    }
  }

  // --- The cursor ----------------------------------------------------------------------------------------------------

  // What the lines have at a place: [{line, i}]; nothing of one that ends before it or begins behind.
  pointsAt(x) {
    const near = (this.x.high - this.x.low) / 50;
    return this.picture.lines.map((line) => ({ line, i: nearest(line.x, x) })).filter(({ line, i }) => {
      const [first, last] = endsOf(line.x);
      return i >= 0 && line.y[i] !== null && line.x[i] >= this.x.low && line.x[i] <= this.x.high && x > first - near && x < last + near;
    });
  }

  // Shows a place of the axis in all charts; `rows` of a tip in the one that is looked at.
  point(x, rows = null) {
    this.cursor = x;
    this.rows = rows;
    this.drawOver();
  }

  drawOver() {
    const width = this.plot.clientWidth, context = this.sized(this.over, width, this.height);
    this.tip.hidden = true;
    if (!this.x) return;
    if (this.drag && Math.abs(this.drag.to - this.drag.from) > 3) {
      const [from, to] = [this.drag.from, this.drag.to].sort((a, b) => a - b).map((place) => Math.min(this.x.end, Math.max(this.x.begin, place)));
      Object.assign(context, { fillStyle: colour('focus'), globalAlpha: 0.16 });
      context.fillRect(from, this.y.end, to - from, this.y.begin - this.y.end);
      context.globalAlpha = 1;
    }
    if (this.cursor === null || this.cursor < this.x.low || this.cursor > this.x.high) return;
    const place = this.x.to(this.cursor);
    Object.assign(context, { strokeStyle: colour('muted'), lineWidth: 1 });
    context.beginPath();
    context.moveTo(Math.round(place) + 0.5, this.y.end);
    context.lineTo(Math.round(place) + 0.5, this.y.begin);
    context.stroke();
    for (const { line, i } of this.pointsAt(this.cursor)) {
      const value = line.y[i];
      if (this.y.log && value <= 0) continue;
      Object.assign(context, { fillStyle: line.colour, strokeStyle: colour('card'), lineWidth: 2 });
      context.beginPath();
      context.arc(this.x.to(line.x[i]), this.y.to(value), 4.5, 0, 2 * Math.PI);
      context.fill();
      context.stroke();
    }
    if (this.rows) this.showTip(place, width);
  }

  showTip(place, width) {
    this.tip.replaceChildren(...this.rows);
    this.tip.hidden = false;
    const wide = this.tip.offsetWidth;
    this.tip.style.left = `${Math.max(0, place + 14 + wide <= width ? place + 14 : place - 14 - wide >= 0 ? place - 14 - wide : width - wide)}px`;
  }
}
