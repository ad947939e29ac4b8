"""docs/CONFIG.md has a row for every key of sallyport.toml that the loader knows, and for no other."""

import re

PAGE = "docs/CONFIG.md"
LOADER = "config/load_appliance.cpp"
READERS = [LOADER, "config/appliance/ha.cpp", "config/appliance/limits.cpp", "config/appliance/logs.cpp", "config/appliance/nat.cpp",
           "config/appliance/ports.cpp", "config/appliance/tunnels.cpp"]

# within("limits", read_limits, ...) at the root; table.optional("flows", ...) and the like in a function read_limits().
WITHIN = re.compile(r'within\("(\w+)", (read_\w+),')
ROOT_FIND = re.compile(r'table\.find\("(\w+)"\)')
FUNCTION = re.compile(r"^[\w:<>&*][\w:<>&* ]* (read_\w+)\((?!.*;$)")
KEY = re.compile(r'(?:\.(?:optional|required|each|required_each|find|require)\(|read_timeout\(table, )"(\w+)"')
ROW = re.compile(r"\|\s*`([\w.]+)`\s*\|(.*)\|\s*$")


def functions(tree):
    """Name of a reader -> key -> where it is asked for."""
    found = {}
    for name in READERS:
        function = None
        for number, line in enumerate(tree.lines(name), 1):
            if match := FUNCTION.match(line):
                function = match[1]
            elif line.startswith("}"):
                function = None
            for key in KEY.findall(line) if function else ():
                found.setdefault(function, {}).setdefault(key, f"{name}:{number}")
    return found


def loaded(tree):
    """"table.key" -> where the loader asks for it. [[port]] and [[tunnel]] are read one by one; what else stands at the root has
    no keys here."""
    readers = functions(tree)
    root = "\n".join(tree.lines(LOADER))
    tables = [*WITHIN.findall(root), ("port", "read_port"), ("tunnel", "read_tunnel"), ("tunnel", "read_keys_of_type")]
    keys = {}
    for table, reader in tables:
        for key, place in readers.get(reader, {}).items():
            keys[f"{table}.{key}"] = place
    for table in ROOT_FIND.findall(root[root.index("void read_appliance("):]):
        if table not in dict(tables):
            keys[table] = LOADER + ":1"
    return keys


def documented(tree):
    rows = {}
    for number, line in enumerate(tree.lines(PAGE), 1):
        if match := ROW.match(line):
            rows[match[1]] = (number, [cell.strip() for cell in match[2].split(" | ")])
    return rows


def findings(tree):
    keys = loaded(tree)
    rows = documented(tree)
    found = [] if len(keys) > 20 else [f"{LOADER}:1: hardly a key was found in the loader: adapt tests/lint/config_keys.py"]
    for key, place in keys.items():
        if key not in rows:
            found.append(f"{place}: {key} is not documented: give it a row in {PAGE}")
        elif len(rows[key][1]) != 3 or not all(rows[key][1]):
            found.append(f"{PAGE}:{rows[key][0]}: {key}: say value, default, and when to change it")
    for key, (number, cells) in rows.items():
        if key not in keys:
            found.append(f"{PAGE}:{number}: {key} is no key of the loader: take the row out")
    return found
