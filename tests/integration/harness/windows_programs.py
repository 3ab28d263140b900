"""Windows programs and packages for tests, made on the spot."""

import pathlib
import shutil
import subprocess

COMPILER = "x86_64-w64-mingw32-gcc-posix"

# Prints its version. With two arguments it writes the second one to the file
# that the first one names, and ends with code 10.
SOURCE = r"""
#include <stdio.h>
int main(int argc, char** argv) {
  if (argc == 3) {
    FILE* file = fopen(argv[1], "w");
    if (file == NULL) return 1;
    fputs(argv[2], file);
    return fclose(file) == 0 ? 10 : 1;
  }
  puts(TEXT);
  return 0;
}
"""

# Writes SAID to its standard error and fails.
COMPLAINER = r"""
#include <stdio.h>
#include <fcntl.h>
#include <io.h>
static const unsigned char said[] = {SAID};
int main(void) {
  _setmode(_fileno(stderr), _O_BINARY);
  fwrite(said, 1, sizeof(said), stderr);
  return CODE;
}
"""

# Waits until somebody at PORT has sent a byte.
WAITER = r"""
#include <winsock2.h>
int main(void) {
  WSADATA data;
  struct sockaddr_in address = {0};
  SOCKET connection;
  char byte;
  if (WSAStartup(0x0202, &data) != 0) return 1;
  connection = socket(AF_INET, SOCK_STREAM, 0);
  address.sin_family = AF_INET;
  address.sin_port = htons(PORT);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(connection, (struct sockaddr*)&address, sizeof(address)) != 0)
    return 2;
  return recv(connection, &byte, 1, 0) == 1 ? 0 : 3;
}
"""

WXS = """<?xml version="1.0" encoding="utf-8"?>
<Wix xmlns="http://schemas.microsoft.com/wix/2006/wi">
  <Product Id="{code}" Name="{name}" Language="1033" Version="{version}"
           Manufacturer="Usher tests" UpgradeCode="{upgrade_code}">
    <Package InstallerVersion="500" Compressed="yes" InstallScope="perMachine"/>
    <Media Id="1" Cabinet="product.cab" EmbedCab="yes"/>
    <MajorUpgrade DowngradeErrorMessage="A newer version is installed."/>
    <Directory Id="TARGETDIR" Name="SourceDir">
      <Directory Id="ProgramFiles64Folder">
        <Directory Id="INSTALLDIR" Name="{name}">
          <Component Id="Program" Guid="{component}" Win64="yes">
            <File Id="program" Name="{program}" Source="{program}"
                  KeyPath="yes"/>
          </Component>
        </Directory>
      </Directory>
    </Directory>
    <Feature Id="All" Title="{name}" Level="1">
      <ComponentRef Id="Program"/>
    </Feature>
  </Product>
</Wix>
"""


def missing():
    """Which tool there is not, or None."""
    for tool in (COMPILER, "wixl"):
        if shutil.which(tool) is None:
            return f"{tool} is not installed"
    return None


def program(path, text):
    """An .exe that prints `text`."""
    return compiled(path, SOURCE, TEXT=f'"{text}"')


def complainer(path, said, code):
    """An installer that says the bytes `said` and fails."""
    return compiled(path, COMPLAINER, SAID=",".join(map(str, said)), CODE=code)


def waiter(path, port):
    """An installer that waits until it is told to go on."""
    return compiled(path, WAITER, PORT=port)


def compiled(path, source, **macros):
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run([COMPILER, "-O1", "-s", "-static",
                    *(f"-D{name}={text}" for name, text in macros.items()),
                    "-x", "c", "-", "-o", str(path), "-lws2_32"], input=source,
                   text=True, check=True)
    return path


def msi(folder, name, version, code, upgrade_code, component):
    """A package that installs {ProgramFiles64Folder}/{name}/{name}.exe."""
    folder = pathlib.Path(folder) / f"{name}-{version}"
    exe = program(folder / f"{name}.exe", f"{name} {version}")
    (folder / "product.wxs").write_text(WXS.format(
        name=name, version=version, code=code, upgrade_code=upgrade_code,
        component=component, program=exe.name))
    subprocess.run(["wixl", "--arch", "x64", "--output", "product.msi",
                    "product.wxs"], cwd=folder, check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    return folder / "product.msi"
