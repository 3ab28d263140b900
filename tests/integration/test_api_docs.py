"""The check of the protos' comments: it names what has none."""

import pathlib
import subprocess
import sys

SCRIPT = pathlib.Path(__file__).parent.parent / "api_docs.py"
ROOT = SCRIPT.parent.parent / "proto"

DOCUMENTED = '''syntax = "proto3";
package x;
// A service.
service S {
  // A call.
  rpc C(M) returns (M);
}
// A message.
message M {
  // A nested one.
  message N {}
  // A field.
  N f = 1;
  oneof o {
    // One of two.
    int32 a = 2;
    // The other.
    int32 b = 3;
  }
  // A map.
  map<string, string> m = 4;
  // An enumeration.
  enum E {
    E_UNSPECIFIED = 0;
    // A value.
    E_V = 1;
  }
}
'''


def check(root):
    done = subprocess.run([sys.executable, SCRIPT, root], capture_output=True,
                          text=True, check=False)
    return done.returncode, done.stdout


def test_ours_are_documented():
    assert check(ROOT) == (0, "")


def test_each_kind_of_element_is_missed(work):
    (work / "x.proto").write_text(DOCUMENTED)
    assert check(work) == (0, "")
    lines = DOCUMENTED.splitlines()
    comments = [i for i, line in enumerate(lines) if "//" in line]
    named = []
    for i in comments:
        # An empty comment is no better than none.
        text = lines[:i] + ["//" if named else ""] + lines[i + 1:]
        (work / "x.proto").write_text("\n".join(text) + "\n")
        code, output = check(work)
        assert code == 1
        first, *_ = output.splitlines()
        assert f"x.proto:{i + 2}: " in first, output
        named.append(first.split()[1])
    assert named == ["x.S", "x.S.C", "x.M", "x.M.N", "x.M.f", "x.M.a", "x.M.b",
                     "x.M.m", "x.M.E", "x.M.E.E_V"]
