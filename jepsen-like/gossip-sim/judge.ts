/**
 * The judge keeps its own record of who really was up, and never asks the code under test what it believes it did:
 * it hears the observations and compares them with the truth.
 */
export interface Detection {
  /** From the crash until the first member knew, and until every member that was up knew; in ms. */
  readonly firstMs: number | undefined;
  readonly allMs: number | undefined;
}

interface Subject {
  readonly sinceMs: number;
  readonly waiting: Set<number>;
  firstMs: number | undefined;
  allMs: number | undefined;
}

export interface FalsePositives {
  /** Times that a member which was up was declared dead by its first accuser (episodes). */
  readonly episodes: number;
  /** Observations: each member that believed it. */
  readonly observations: number;
  /** Of the observations, those by and about members that no fault touched. */
  readonly betweenHealthy: number;
}

interface Telling {
  readonly sinceMs: number;
  readonly event: Set<string>;
  readonly answer: Set<string>;
  lastEventMs: number;
}

export class Judge {
  private readonly crashes = new Map<string, Subject>();
  private readonly arrivals = new Map<string, Subject>();
  private readonly departed = new Set<string>();
  /** Members that a fault touches now: slow, stopped, cut off. */
  readonly impaired = new Set<string>();
  private readonly believedDead = new Map<string, Set<number>>();
  private readonly tellings = new Map<string, Telling>();
  private episodes = 0;
  private observations = 0;
  private betweenHealthy = 0;

  /** Something is told to everybody. */
  told(name: string, nowMs: number): void {
    this.tellings.set(name, { sinceMs: nowMs, event: new Set(), answer: new Set(), lastEventMs: nowMs });
  }

  /** An event reached a member, or its answer reached the asker. */
  heard(what: 'event' | 'answer', name: string, member: string, nowMs: number): void {
    const telling = this.tellings.get(name);
    if (telling === undefined) return;
    telling[what].add(member);
    if (what === 'event') telling.lastEventMs = nowMs;
  }

  /** Of all that was told: how many members each reached, and how long the last of them took. */
  takeTellings(): { readonly events: number; readonly answers: number; readonly tookMs: number }[] {
    const taken = [...this.tellings.values()].map(({ sinceMs, event, answer, lastEventMs }) => {
      return { events: event.size, answers: answer.size, tookMs: lastEventMs - sinceMs };
    });
    this.tellings.clear();
    return taken;
  }

  crashed(name: string, nowMs: number, observers: Iterable<number>): void {
    this.crashes.set(name, subject(nowMs, observers));
  }

  left(name: string): void {
    this.departed.add(name);
  }

  arrived(name: string, nowMs: number, observers: Iterable<number>): void {
    this.arrivals.set(name, subject(nowMs, observers));
  }

  /** An observer is gone: nobody waits for its word. */
  gone(observer: number): void {
    for (const one of [...this.crashes.values(), ...this.arrivals.values()]) one.waiting.delete(observer);
  }

  observedDead(observer: number, observerName: string, about: string, nowMs: number): void {
    const crash = this.crashes.get(about);
    if (crash !== undefined) return note(crash, observer, nowMs);
    if (this.departed.has(about)) return;
    const believers = this.believedDead.get(about) ?? new Set();
    if (believers.size === 0) this.episodes++;
    this.believedDead.set(about, believers.add(observer));
    this.observations++;
    if (!this.impaired.has(observerName) && !this.impaired.has(about)) this.betweenHealthy++;
  }

  observedAlive(observer: number, about: string, nowMs: number): void {
    this.believedDead.get(about)?.delete(observer);
    const arrival = this.arrivals.get(about);
    if (arrival !== undefined) note(arrival, observer, nowMs);
  }

  /** Observers that still hold a living member for dead. */
  wrongNow(): number {
    let count = 0;
    for (const believers of this.believedDead.values()) count += believers.size;
    return count;
  }

  detections(): Detection[] {
    return [...this.crashes.values()].map(relative);
  }

  arrivalTimes(): Detection[] {
    return [...this.arrivals.values()].map(relative);
  }

  takeFalsePositives(): FalsePositives {
    const { episodes, observations, betweenHealthy } = this;
    this.episodes = 0;
    this.observations = 0;
    this.betweenHealthy = 0;
    return { episodes, observations, betweenHealthy };
  }
}

function subject(sinceMs: number, observers: Iterable<number>): Subject {
  return { sinceMs, waiting: new Set(observers), firstMs: undefined, allMs: undefined };
}

function note(one: Subject, observer: number, nowMs: number): void {
  one.firstMs ??= nowMs;
  one.waiting.delete(observer);
  if (one.waiting.size === 0) one.allMs ??= nowMs;
}

function relative({ sinceMs, firstMs, allMs }: Subject): Detection {
  return {
    firstMs: firstMs === undefined ? undefined : firstMs - sinceMs,
    allMs: allMs === undefined ? undefined : allMs - sinceMs,
  };
}
