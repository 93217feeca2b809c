import type { Scenario } from '../scenario.js';
import { adoption, adoptionUnsynced } from './adoption.js';
import { aheadFlipped, aheadUnfinished } from './ahead.js';
import { append } from './append.js';
import { appendInBatches } from './append-in-batches.js';
import {
  appendBlobs,
  appendOneBlob,
  blobsEnabled,
  blobsLinked,
  blobsMoved,
  blobsMovedUnsynced,
  blobsUnsynced,
  firstCopyBushy,
  firstCopyLawn,
  fullWithBlobs,
  manifestAhead,
  missingRetried,
} from './blobs.js';
import { brokenOff } from './broken-off.js';
import { cutShort } from './cut-short.js';
import { exchanged } from './exchanged.js';
import { firstCopy } from './first-copy.js';
import { rebuildRefused, refusalLifted, refusedThenPacked } from './forked-master.js';
import { full } from './full.js';
import { fullOverOwn, fullOverOwnWithoutLinks } from './full-over-own.js';
import { groupAppend, groupDropped, groupRebuild } from './group.js';
import { indexCommand, indexOfSwapped, indexRefreshed } from './index-file.js';
import { keptFile, keptPackedFile, keptPackedFileWithoutLinks } from './kept-file.js';
import { killedBehindSwap } from './killed-behind-swap.js';
import { appendOfTerm, rebuildOfTerm } from './new-term.js';
import { nothingNew } from './nothing-new.js';
import { appendPackedAgain, fullPackedAgain, rebuildPackedAgain } from './packed-again.js';
import {
  appendedBlobsPacked,
  killedBehindSwapWithBlobs,
  packedBlobs,
  packedBlobsAgain,
  packedBlobsInDoubt,
  packedBlobsKept,
  packedBlobsOfKeptFiles,
} from './packed-blobs.js';
import { rebuildAfterPack } from './rebuild-after-pack.js';
import { refusedOwn } from './refused-own.js';
import {
  indexedRotRepair,
  lastChunkRepair,
  lastChunkRepairAndAppend,
  oldChunkRepairAndAppend,
  scrubRepair,
} from './scrub-repair.js';
import { tornTail } from './torn-tail.js';
import { rebuildTriedAgain } from './tried-again.js';

/** Every run whose crashes are enumerated. */
export const SCENARIOS: readonly Scenario[] = [
  firstCopy,
  append,
  appendInBatches,
  nothingNew,
  rebuildAfterPack,
  full,
  fullOverOwn,
  fullOverOwnWithoutLinks,
  refusedOwn,
  adoption,
  adoptionUnsynced,
  aheadUnfinished,
  aheadFlipped,
  cutShort,
  brokenOff,
  exchanged,
  tornTail,
  groupAppend,
  groupDropped,
  groupRebuild,
  rebuildPackedAgain,
  appendPackedAgain,
  fullPackedAgain,
  scrubRepair,
  lastChunkRepair,
  lastChunkRepairAndAppend,
  oldChunkRepairAndAppend,
  indexedRotRepair,
  indexRefreshed,
  indexCommand,
  indexOfSwapped,
  killedBehindSwap,
  rebuildRefused,
  keptFile,
  keptPackedFile,
  keptPackedFileWithoutLinks,
  rebuildTriedAgain,
  refusedThenPacked,
  refusalLifted,
  appendOfTerm,
  rebuildOfTerm,
  firstCopyBushy,
  firstCopyLawn,
  appendBlobs,
  appendOneBlob,
  missingRetried,
  blobsEnabled,
  blobsUnsynced,
  blobsLinked,
  blobsMoved,
  blobsMovedUnsynced,
  packedBlobs,
  packedBlobsKept,
  packedBlobsAgain,
  packedBlobsInDoubt,
  packedBlobsOfKeptFiles,
  appendedBlobsPacked,
  killedBehindSwapWithBlobs,
  fullWithBlobs,
  manifestAhead,
];
