"""Has Sentry's own ingestion (Relay's StoreNormalizer) read every envelope of a file, and tells what it minds.

The file holds envelopes one after the other, each after a line with its length in bytes. One line is printed for each
complaint, a summary at the end; the exit code is 1 if there was a complaint.
"""

import json
import sys

from sentry_relay.processing import StoreNormalizer

# As Relay runs it; five days and a minute are its bounds on the times of a transaction.
NORMALIZER = StoreNormalizer(
    project_id=1,
    max_secs_in_past=5 * 24 * 3600,
    max_secs_in_future=60,
    enable_trimming=True,
    remove_other=True,
)

# Limits that live in Relay's server and a project's configuration, not in its library.
MOST_SPANS, MOST_SPAN_BYTES, MOST_ITEM_BYTES, MOST_MEASUREMENTS = 1000, 819_200, 1 << 20, 10


def envelopes(path):
    with open(path, "rb") as file:
        while line := file.readline():
            yield file.read(int(line))


def items(envelope):
    """The header of an envelope and its items, read by their declared lengths."""
    header, rest = envelope.split(b"\n", 1)
    found = []
    while rest:
        item, rest = rest.split(b"\n", 1)
        item = json.loads(item)
        payload, rest = rest[: item["length"]], rest[item["length"] :]
        if len(payload) < item["length"] or rest[:1] not in (b"", b"\n"):
            raise ValueError("an item is not as long as it says")
        found.append((item["type"], payload))
        rest = rest[1:]
    return json.loads(header), found


def remarks(meta, path=""):
    """Every place where the normaliser noted an error or a change."""
    for key, value in meta.items():
        if key == "":
            yield f"{path or '.'}: {json.dumps(value)}"
        elif isinstance(value, dict):
            yield from remarks(value, f"{path}.{key}")


def complaints(envelope):
    header, found = items(envelope)
    if "event_id" not in header or "trace_id" not in header.get("trace", {}):
        yield f"the envelope's header lacks its event id or its trace: {header}"
    for kind, raw in found:
        if len(raw) > MOST_ITEM_BYTES:
            yield f"an item of {len(raw)} bytes"
        given = json.loads(raw)
        try:
            event = NORMALIZER.normalize_event(raw_event=raw.decode())
        except Exception as error:
            yield f"refused: {str(error).splitlines()[0]}"
            continue
        yield from remarks(event.get("_meta") or {})
        if given["event_id"] != header["event_id"] or given["contexts"]["trace"]["trace_id"] != header["trace"]["trace_id"]:
            yield "the header speaks of another event or trace"
        if event.get("type") != {"transaction": "transaction", "event": "error"}[kind]:
            yield f"item {kind} was read as {event.get('type')}"
        if kind == "transaction":
            yield from tree(given)
            for key in ("timestamp", "start_timestamp"):
                if event[key] != given[key]:
                    yield f"{key} {given[key]} was read as {event[key]}"
            if event.get("measurements", {}).keys() != given.get("measurements", {}).keys():
                yield f"measurements were read as {event.get('measurements')}"


def tree(transaction):
    spans = transaction["spans"]
    if len(spans) > MOST_SPANS or len(json.dumps(spans, ensure_ascii=False, separators=(",", ":")).encode()) > MOST_SPAN_BYTES:
        yield f"{len(spans)} spans, or too many bytes of them"
    if len(transaction.get("measurements", {})) > MOST_MEASUREMENTS:
        yield "too many measurements"
    known = {transaction["contexts"]["trace"]["span_id"]}
    for span in spans:
        if span["parent_span_id"] not in known:
            yield f"span {span['span_id']} has no parent before it"
        if span["trace_id"] != transaction["contexts"]["trace"]["trace_id"]:
            yield f"span {span['span_id']} is of another trace"
        if span["timestamp"] < span["start_timestamp"]:
            yield f"span {span['span_id']} ends before it begins"
        known.add(span["span_id"])


def main(path):
    read = bad = 0
    for read, envelope in enumerate(envelopes(path), 1):
        try:
            found = list(complaints(envelope))
        except (ValueError, KeyError) as error:
            found = [f"not an envelope of ours: {error!r}"]
        bad += bool(found)
        for complaint in found if bad <= 20 else ():
            print(f"envelope {read}: {complaint}")
    print(f"{read} envelopes, {bad} with complaints")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
