/**
 * Network coordinates: Vivaldi (Dabek et al., SIGCOMM 2004) in 8 dimensions with a height for the access link, plus the
 * adjustment and gravity terms of Ledlie, Gardner and Seltzer (NSDI 2007). Each member moves its own point a little with
 * every round trip it measures, as if springs of that length joined the points, until distances predict round trips.
 * Every number here is in seconds.
 */
import type { Random } from '../../std/random.ts';

/** A position in the latency space: distances between two are round-trip estimates, in seconds. */
export interface Coordinate {
  readonly Vec: readonly number[];
  /** Confidence, 0 (sure) to 1.5. */
  readonly Error: number;
  /** Correction for what the space cannot show, in seconds. */
  readonly Adjustment: number;
  /** The access link's share, in seconds; at least 10 µs. */
  readonly Height: number;
}

const dimensions = 8;
const errorMax = 1.5;
/** How far one measurement moves confidence and point: Vivaldi's c_e and c_c. */
const errorTuning = 0.25;
const pointTuning = 0.25;
const heightMin = 1e-5;
const adjustmentWindow = 20;
const latencySamples = 3;
/** Pulls the whole constellation back to the origin, against drift; in seconds of distance. */
const gravityRho = 150;
const zeroThreshold = 1e-6;
const roundTripMaxSeconds = 10;
/** Members whose last coordinate and latencies are kept, in all. */
const peersMax = 20_000;

const origin: Coordinate = { Vec: Array(dimensions).fill(0), Error: errorMax, Adjustment: 0, Height: heightMin };

function isValidCoordinate(c: Coordinate): boolean {
  return c.Vec.length === dimensions && [...c.Vec, c.Error, c.Adjustment, c.Height].every(Number.isFinite);
}

/** Round trip between two coordinates, in seconds, in whole nanoseconds. */
export function distance(a: Coordinate, b: Coordinate): number {
  return Math.trunc(exactDistance(a, b) * 1e9) / 1e9;
}

function exactDistance(a: Coordinate, b: Coordinate): number {
  const raw = rawDistance(a, b);
  const adjusted = raw + a.Adjustment + b.Adjustment;
  return adjusted > 0 ? adjusted : raw;
}

function rawDistance(a: Coordinate, b: Coordinate): number {
  return magnitude(difference(a.Vec, b.Vec)) + a.Height + b.Height;
}

const difference = (a: readonly number[], b: readonly number[]): number[] => a.map((value, i) => value - b[i]!);

function magnitude(vector: readonly number[]): number {
  let sum = 0;
  for (const value of vector) sum += value * value;
  return Math.sqrt(sum);
}

/** This member's point, and the last known points of the others. */
export class CoordinateClient {
  private readonly random: Random;
  private own: Coordinate = origin;
  private readonly peers = new Map<string, Coordinate>();
  private readonly latencies = new Map<string, number[]>();
  private readonly adjustments: number[] = Array(adjustmentWindow).fill(0);
  private adjustmentIndex = 0;
  /** Times the point had to be put back to the start because arithmetic broke it. */
  resets = 0;

  constructor(random: Random) {
    this.random = random;
  }

  get coordinate(): Coordinate {
    return this.own;
  }

  coordinateOf(name: string): Coordinate | undefined {
    return this.peers.get(name);
  }

  forget(name: string): void {
    this.peers.delete(name);
    this.latencies.delete(name);
  }

  /** One direct measurement. False: the coordinate or the round trip makes no sense, and nothing changed. */
  update(name: string, other: Coordinate, roundTripSeconds: number): boolean {
    if (!isValidCoordinate(other)) return false;
    if (!(roundTripSeconds >= 0 && roundTripSeconds <= roundTripMaxSeconds)) return false;
    if (!this.peers.has(name) && this.peers.size >= peersMax) return false;
    this.peers.set(name, other);
    const filtered = this.filterLatency(name, roundTripSeconds);
    this.moveTowards(other, filtered);
    this.adjust(other, filtered);
    this.own = applyForce(this.own, -((exactDistance(origin, this.own) / gravityRho) ** 2), origin, this.random);
    if (!isValidCoordinate(this.own)) {
      this.own = origin;
      this.resets++;
    }
    return true;
  }

  /** The median of the last few round trips to a member: one slow packet must not throw the point about. */
  private filterLatency(name: string, roundTrip: number): number {
    const samples = [...(this.latencies.get(name) ?? []), roundTrip].slice(-latencySamples);
    this.latencies.set(name, samples);
    const sorted = [...samples].sort((a, b) => a - b);
    return sorted[Math.floor(sorted.length / 2)]!;
  }

  private moveTowards(other: Coordinate, measured: number): void {
    const estimated = exactDistance(this.own, other);
    const roundTrip = Math.max(measured, zeroThreshold);
    const wrongness = Math.abs(estimated - roundTrip) / roundTrip;
    const weight = this.own.Error / Math.max(this.own.Error + other.Error, zeroThreshold);
    const share = errorTuning * weight;
    const confidence = Math.min(share * wrongness + this.own.Error * (1 - share), errorMax);
    const force = pointTuning * weight * (roundTrip - estimated);
    this.own = applyForce({ ...this.own, Error: confidence }, force, other, this.random);
  }

  private adjust(other: Coordinate, roundTrip: number): void {
    this.adjustments[this.adjustmentIndex] = roundTrip - rawDistance(this.own, other);
    this.adjustmentIndex = (this.adjustmentIndex + 1) % adjustmentWindow;
    const sum = this.adjustments.reduce((total, sample) => total + sample, 0);
    this.own = { ...this.own, Adjustment: sum / (2 * adjustmentWindow) };
  }
}

/** Pushes a point away from another (towards it, if the force is negative). */
function applyForce(c: Coordinate, force: number, other: Coordinate, random: Random): Coordinate {
  const apart = difference(c.Vec, other.Vec);
  const length = magnitude(apart);
  if (length <= zeroThreshold) {
    const unit = randomUnit(random);
    return { ...c, Vec: c.Vec.map((value, i) => value + unit[i]! * force) };
  }
  const Vec = c.Vec.map((value, i) => value + (apart[i]! / length) * force);
  const Height = Math.max(((c.Height + other.Height) * force) / length + c.Height, heightMin);
  return { ...c, Vec, Height };
}

function randomUnit(random: Random): number[] {
  for (;;) {
    const vector = Array.from({ length: dimensions }, () => random.next() - 0.5);
    const length = magnitude(vector);
    if (length > zeroThreshold) return vector.map((value) => value / length);
  }
}
