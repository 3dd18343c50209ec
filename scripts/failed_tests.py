"""Prints every failed test of the TRX files in a folder, with the first lines of its message and where it failed."""
import pathlib
import sys
import xml.etree.ElementTree as xml

NAMESPACE = "{http://microsoft.com/schemas/VisualStudio/TeamTest/2010}"

for path in sorted(pathlib.Path(sys.argv[1]).rglob("*.trx")):
    for result in xml.parse(path).iter(NAMESPACE + "UnitTestResult"):
        if result.get("outcome") != "Failed":
            continue
        print(f"FAILED {result.get('testName')} ({result.get('duration')})")
        for element, lines in (("Message", 8), ("StackTrace", 4)):
            text = result.findtext(f".//{NAMESPACE}{element}") or ""
            for line in text.strip().splitlines()[:lines]:
                print(f"    {line.strip()}")
