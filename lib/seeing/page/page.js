'use strict';

/* The page's own program: takes the frames that the server sends, and draws them. Runs in a browser. */

(() => {
  /** Milliseconds that the lanes show. */
  const WINDOW = 10_000;
  const LANE = 26;
  const LABELS = 150;
  const AXIS = 22;
  const SAMPLES = 60;
  const COLOURS = ['#4c8fd6', '#e58a2b', '#4fa85a', '#b36bc9', '#2ba6a1', '#d1a31f', '#9a7b5f', '#7684e8', '#5f9e2f', '#d0679d'];

  const byId = (id) => document.getElementById(id);
  const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const still = matchMedia('(prefers-reduced-motion: reduce)');

  const threads = new Map();
  const colours = new Map();
  const series = { 'per-second': [], queue: [], p99: [], delay: [] };
  let frame;
  let times;
  let sortBy = 'run.p99';
  /** The pool's time, and this page's when that was told. */
  let told = { at: 0, here: performance.now() };
  let isLive = false;

  const colourOf = (name) => {
    if (!colours.has(name)) {
      colours.set(name, COLOURS[colours.size % COLOURS.length]);
      showLegend();
    }
    return colours.get(name);
  };

  function showLegend() {
    byId('legend').replaceChildren(
      ...[...colours].slice(0, 14).map(([name, colour]) => {
        const item = document.createElement('li');
        const space = 'http://www.w3.org/2000/svg';
        const [mark, square] = [document.createElementNS(space, 'svg'), document.createElementNS(space, 'rect')];
        mark.setAttribute('aria-hidden', 'true');
        for (const [key, value] of [['width', '11'], ['height', '11'], ['rx', '2'], ['fill', colour]]) square.setAttribute(key, value);
        mark.append(square);
        item.append(mark, name);
        return item;
      }),
    );
  }

  const duration = (ms) => {
    if (ms === 0 || ms === undefined) return '–';
    if (ms < 0.001) return `${(ms * 1e6).toFixed(0)} ns`;
    if (ms < 1) return `${(ms * 1e3).toPrecision(2)} µs`.replace(/(\d)\.?e\+2 /, '$1 ').replace(/^1000 µs/, '1 ms');
    if (ms < 1_000) return `${ms < 100 ? Number(ms.toPrecision(2)) : Math.round(ms)} ms`;
    return `${(ms / 1_000).toPrecision(3)} s`;
  };
  const micros = (ms) => (ms >= 0.1 && ms < 1 ? `${Math.round(ms * 1e3)} µs` : duration(ms));
  const count = (number) => Math.round(number).toLocaleString('en-US');

  function setState(state, text = state) {
    isLive = state === 'live';
    byId('state').dataset.state = state;
    byId('state').textContent = text;
  }

  function take(next) {
    if (next.closed) {
      setState('closed', 'the pool has closed');
      source.close();
      return;
    }
    setState('live');
    frame = next;
    told = { at: next.at, here: performance.now() };
    if (next.times !== undefined) times = next.times;
    const seen = new Set();
    for (const { id, name, bars } of next.threads) {
      seen.add(id);
      const thread = threads.get(id) ?? { bars: [] };
      threads.set(id, thread);
      thread.name = name;
      // Those under way are told again.
      thread.bars = thread.bars.filter(([, , end]) => end !== null && end > next.at - WINDOW - 1_000).concat(bars);
      for (const [task] of bars) colourOf(task);
    }
    for (const id of threads.keys()) if (!seen.has(id)) threads.delete(id);
    add('per-second', next.perSecond);
    add('queue', next.stats.queueSize);
    add('delay', next.loopDelay);
    if (next.times !== undefined) add('p99', next.times.roundTrip.p99);
    showNumbers();
    if (next.times !== undefined) showTasks();
    drawSparks();
    if (still.matches) drawLanes();
  }

  function add(name, value) {
    series[name].push(value);
    if (series[name].length > SAMPLES) series[name].shift();
  }

  function showNumbers() {
    const { stats } = frame;
    document.title = `${frame.pool} · rust-workers`;
    byId('pool').textContent = frame.pool;
    const parts = [];
    if (stats.threads > 0) parts.push(`${stats.threads} of ${stats.maxThreads} threads, ${percent(stats.utilizationByKind.native)} used`);
    if (stats.workers > 0) parts.push(`${stats.workers} workers, ${percent(stats.utilizationByKind.script)} used`);
    parts.push(`${count(stats.running)} running`, `${count(stats.completed)} completed`);
    if (stats.failed > 0) parts.push(`${count(stats.failed)} failed`);
    if (stats.cancelled > 0) parts.push(`${count(stats.cancelled)} cancelled`);
    byId('summary').textContent = parts.join(' · ');
    byId('per-second').textContent = count(frame.perSecond);
    byId('queue').textContent = count(stats.queueSize);
    byId('delay').textContent = Math.round(frame.loopDelay);
    if (times === undefined) return;
    byId('p50').textContent = micros(times.roundTrip.p50);
    byId('p99').textContent = micros(times.roundTrip.p99);
  }

  const percent = (part) => `${Math.round(part * 100)} %`;
  const valueOf = (task, key) => key.split('.').reduce((value, part) => value[part], task);

  function showTasks() {
    const rows = [...times.byName].sort((a, b) => {
      const [one, other] = [valueOf(a, sortBy), valueOf(b, sortBy)];
      return typeof one === 'string' ? one.localeCompare(other) : other - one;
    });
    byId('names').textContent = times.names > rows.length ? `the ${rows.length} of ${times.names} names that ran longest` : '';
    byId('tasks').replaceChildren(
      ...(rows.length > 0 ? rows.map(rowOf) : [emptyRow()]),
    );
  }

  function cell(text, note) {
    const made = document.createElement('td');
    made.textContent = text;
    if (note !== undefined) {
      const small = document.createElement('small');
      small.textContent = ` ${note}`;
      made.append(small);
    }
    return made;
  }

  function rowOf({ name, kind, count: runs, wait, run, roundTrip, cpu }) {
    const row = document.createElement('tr');
    row.append(
      cell(name, kind), cell(count(runs)), cell(micros(wait.p95)), cell(micros(run.p50)), cell(micros(run.p95)), cell(micros(run.p99)),
      cell(micros(run.max)), cell(micros(roundTrip.p95)), cell(micros(cpu)),
    );
    return row;
  }

  function emptyRow() {
    const row = document.createElement('tr');
    const only = cell('No task has run yet.');
    only.colSpan = 9;
    only.className = 'none';
    row.append(only);
    return row;
  }

  /** A canvas as large as it is shown, in the pixels of the screen. */
  function fit(canvas, height) {
    const ratio = devicePixelRatio || 1;
    const width = canvas.clientWidth;
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
    }
    const context = canvas.getContext('2d');
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    return [context, width];
  }

  function drawSparks() {
    for (const [name, values] of Object.entries(series)) {
      const [context, width] = fit(byId(`spark-${name}`), 36);
      const most = Math.max(...values, 1e-9);
      const step = width / (SAMPLES - 1);
      const at = (i) => [width - (values.length - 1 - i) * step, 34 - (values[i] / most) * 30];
      context.beginPath();
      values.forEach((_, i) => context.lineTo(...at(i)));
      context.strokeStyle = style('--accent');
      context.lineWidth = 1.5;
      context.stroke();
      context.lineTo(width, 36);
      context.lineTo(at(0)?.[0] ?? width, 36);
      context.globalAlpha = 0.12;
      context.fillStyle = style('--accent');
      context.fill();
      context.globalAlpha = 1;
    }
  }

  function drawLanes() {
    const canvas = byId('lanes');
    const rows = [...threads.values()];
    const height = Math.max(1, rows.length) * LANE + AXIS;
    canvas.style.height = `${height}px`;
    const [context, width] = fit(canvas, height);
    // A frame is told some time after it happened: half a second behind, nothing appears in the middle.
    const now = told.at + (isLive ? performance.now() - told.here : 0) - 500;
    const x = (at) => LABELS + ((at - (now - WINDOW)) / WINDOW) * (width - LABELS);
    const [line, text, muted, card, bad] = ['--line', '--text', '--muted', '--card', '--bad'].map(style);
    context.font = '13px system-ui, sans-serif';
    context.textBaseline = 'middle';
    context.fillStyle = muted;
    context.textAlign = 'center';
    for (let seconds = 0; seconds <= 10; seconds += 2) {
      const at = x(now - seconds * 1_000);
      context.fillStyle = line;
      context.fillRect(at, 0, 1, height - AXIS);
      context.fillStyle = muted;
      context.fillText(seconds === 0 ? 'now' : `−${seconds} s`, Math.min(at, width - 16), height - AXIS / 2);
    }
    context.textAlign = 'left';
    rows.forEach(({ name, bars }, row) => {
      const top = row * LANE;
      context.save();
      context.beginPath();
      context.rect(LABELS, top, width - LABELS, LANE);
      context.clip();
      for (const [task, begin, end, , state] of bars) {
        const left = x(begin);
        const right = Math.max(left + 1, x(end ?? now));
        if (right < LABELS || left > width) continue;
        context.fillStyle = colourOf(task);
        context.globalAlpha = state === 'helped' ? 0.55 : 1;
        context.fillRect(left, top + 4, right - left, LANE - 8);
        context.globalAlpha = 1;
        if (state === 'failed' || state === 'cancelled') {
          context.fillStyle = bad;
          context.fillRect(left, top + LANE - 6, right - left, 3);
        }
        const inside = Math.min(right, width) - Math.max(left, LABELS);
        if (inside > context.measureText(task).width + 10) {
          context.fillStyle = '#ffffff';
          context.fillText(task, Math.max(left, LABELS) + 5, top + LANE / 2 + 1);
        }
      }
      context.restore();
      context.fillStyle = card;
      context.fillRect(0, top, LABELS - 6, LANE);
      context.fillStyle = text;
      context.fillText(name, 0, top + LANE / 2, LABELS - 12);
    });
    if (rows.length === 0) {
      context.fillStyle = muted;
      context.fillText('No thread has started yet.', 0, LANE / 2);
    }
  }

  for (const head of document.querySelectorAll('th[data-sort]')) {
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = head.textContent;
    head.replaceChildren(button);
    button.addEventListener('click', () => {
      sortBy = head.dataset.sort;
      for (const other of document.querySelectorAll('th[aria-sort]')) other.removeAttribute('aria-sort');
      head.setAttribute('aria-sort', sortBy === 'name' ? 'ascending' : 'descending');
      if (times !== undefined) showTasks();
    });
  }

  function draw() {
    if (isLive && !still.matches) drawLanes();
    requestAnimationFrame(draw);
  }

  const redraw = () => {
    drawSparks();
    drawLanes();
  };
  addEventListener('resize', redraw);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redraw);

  const source = new EventSource('events');
  source.addEventListener('message', ({ data }) => take(JSON.parse(data)));
  source.addEventListener('error', () => {
    if (byId('state').dataset.state !== 'closed') setState('lost', 'connection lost, trying again');
  });
  requestAnimationFrame(draw);
})();
