/** `/v1/agent/host`: the machine. What the system does not say is zero or empty; what could not be read is in `Errors`. */
import { readFileSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { cpus, freemem, hostname, platform, release, totalmem, uptime } from 'node:os';

export async function hostDocument(nowMs: number): Promise<unknown> {
  const errors: string[] = [];
  return {
    Memory: memory(errors),
    CPU: processors(),
    Host: host(nowMs, errors),
    Disk: await disk('/', errors),
    CollectionTime: Math.floor(nowMs) * 1_000_000,
    Errors: errors.length === 0 ? null : errors,
  };
}

/** Undefined, and told, when it cannot be read. */
function read(path: string, errors?: string[]): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    errors?.push((error as Error).message);
    return undefined;
  }
}

const memoryNames: Readonly<Record<string, string>> = {
  active: 'Active',
  inactive: 'Inactive',
  buffers: 'Buffers',
  cached: 'Cached',
  dirty: 'Dirty',
  writeBack: 'Writeback',
  writeBackTmp: 'WritebackTmp',
  shared: 'Shmem',
  slab: 'Slab',
  sreclaimable: 'SReclaimable',
  sunreclaim: 'SUnreclaim',
  pageTables: 'PageTables',
  swapCached: 'SwapCached',
  commitLimit: 'CommitLimit',
  committedAS: 'Committed_AS',
  highTotal: 'HighTotal',
  highFree: 'HighFree',
  lowTotal: 'LowTotal',
  lowFree: 'LowFree',
  swapTotal: 'SwapTotal',
  swapFree: 'SwapFree',
  mapped: 'Mapped',
  vmallocTotal: 'VmallocTotal',
  vmallocUsed: 'VmallocUsed',
  vmallocChunk: 'VmallocChunk',
  hugePageSize: 'Hugepagesize',
};

function memory(errors: string[]): Record<string, number> {
  const text = read('/proc/meminfo', errors) ?? '';
  const bytes = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1] ?? 0) * 1024;
  const pages = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1] ?? 0);
  const total = totalmem();
  const free = freemem();
  const available = bytes('MemAvailable') || free;
  const used = total - available;
  return {
    total,
    available,
    used,
    usedPercent: (used / total) * 100,
    free: bytes('MemFree') || free,
    wired: 0,
    laundry: 0,
    ...Object.fromEntries(Object.entries(memoryNames).map(([key, name]) => [key, bytes(name)])),
    hugePagesTotal: pages('HugePages_Total'),
    hugePagesFree: pages('HugePages_Free'),
  };
}

function processors(): unknown[] {
  const blocks = (read('/proc/cpuinfo') ?? '').split(/\n\n+/).filter((block) => block.includes('processor'));
  const field = (block: string, name: string): string => new RegExp(`^${name}\\s*: (.*)$`, 'm').exec(block)?.[1] ?? '';
  return cpus().map((cpu, i) => {
    const block = blocks[i] ?? '';
    return {
      cpu: i,
      vendorId: field(block, 'vendor_id'),
      family: field(block, 'cpu family'),
      model: field(block, 'model'),
      stepping: Number(field(block, 'stepping')) || 0,
      physicalId: field(block, 'physical id'),
      coreId: field(block, 'core id'),
      cores: 1,
      modelName: cpu.model,
      mhz: Number(field(block, 'cpu MHz')) || cpu.speed,
      cacheSize: Number.parseInt(field(block, 'cache size'), 10) || 0,
      flags: field(block, 'flags').split(' '),
      microcode: field(block, 'microcode'),
    };
  });
}

function host(nowMs: number, errors: string[]): unknown {
  const os = read('/etc/os-release') ?? '';
  const value = (name: string): string => new RegExp(`^${name}="?([^"\\n]*)`, 'm').exec(os)?.[1] ?? '';
  const processes = read('/proc/loadavg', errors)?.split(' ')[3]?.split('/')[1];
  const id = read('/etc/machine-id')?.trim() ?? '';
  return {
    hostname: hostname(),
    uptime: Math.floor(uptime()),
    bootTime: Math.floor(nowMs / 1000 - uptime()),
    procs: Number(processes ?? 0),
    os: platform(),
    platform: value('ID'),
    platformFamily: value('ID_LIKE') || value('ID'),
    platformVersion: value('VERSION_ID'),
    kernelVersion: release(),
    kernelArch: process.arch === 'x64' ? 'x86_64' : process.arch,
    virtualizationSystem: '',
    virtualizationRole: '',
    hostId: id.length === 32 ? id.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5') : id,
  };
}

async function disk(path: string, errors: string[]): Promise<unknown> {
  try {
    const { bsize, blocks, bfree, bavail, files, ffree } = await statfs(path);
    const used = (blocks - bfree) * bsize;
    const usable = used + bavail * bsize;
    return {
      path,
      fstype: '',
      total: blocks * bsize,
      free: bavail * bsize,
      used,
      usedPercent: usable === 0 ? 0 : (used / usable) * 100,
      inodesTotal: files,
      inodesUsed: files - ffree,
      inodesFree: ffree,
      inodesUsedPercent: files === 0 ? 0 : ((files - ffree) / files) * 100,
    };
  } catch (error) {
    errors.push((error as Error).message);
    return null;
  }
}
