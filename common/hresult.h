#ifndef USHER_COMMON_HRESULT_H_
#define USHER_COMMON_HRESULT_H_

// The HRESULTs that Usher speaks, each with its symbol, meaning and canonical
// gRPC code. This is the only place that knows how they belong together (API
// reference, section 6).

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace usher {

// A 32-bit result code. Negative ones as a signed number (bit 31 set) are
// failures.
using HResult = uint32_t;

constexpr bool Failed(HResult hr) { return (hr & 0x80000000u) != 0; }

// One row of the table.
struct HResultInfo {
  HResult value;
  absl::string_view symbol;   // "WU_E_NO_UPDATE"
  absl::string_view meaning;  // English, no full stop
  absl::StatusCode code;      // kOk for success codes
};

// Returns the row of `hr`, or nullptr when the table has none.
const HResultInfo* FindHResult(HResult hr);

// Returns the row whose symbol is `symbol`, or nullptr.
const HResultInfo* FindHResult(absl::string_view symbol);

// Returns "0x80240024" style text.
std::string FormatHResult(HResult hr);

// Returns the code for an HTTP status outside 200-299: those that the agent
// names one by one, and WU_E_PT_HTTP_STATUS_NOT_MAPPED for the rest.
HResult HResultFromHttpStatus(int status);

// Returns the failure code that stands for a canonical code when nothing more
// exact is known; S_OK for kOk.
HResult HResultFromStatusCode(absl::StatusCode code);

// Named after the symbols: WU_E_NO_UPDATE is kWuENoUpdate. (The symbols
// themselves are macros in the Windows SDK.)
namespace hr {

inline constexpr HResult kSOk = 0x00000000;
inline constexpr HResult kEInvalidarg = 0x80070057;
inline constexpr HResult kEPointer = 0x80004003;
inline constexpr HResult kEAccessdenied = 0x80070005;
inline constexpr HResult kENointerface = 0x80004002;
inline constexpr HResult kENotimpl = 0x80004001;
inline constexpr HResult kEUnexpected = 0x8000FFFF;
inline constexpr HResult kEOutofmemory = 0x8007000E;
inline constexpr HResult kErrorDiskFull = 0x80070070;
inline constexpr HResult kErrorAlreadyExists = 0x800700B7;
inline constexpr HResult kErrorPathNotFound = 0x80070003;
inline constexpr HResult kErrorFileNotFound = 0x80070002;
inline constexpr HResult kTrustENosignature = 0x800B0100;
inline constexpr HResult kCertEExpired = 0x800B0101;
inline constexpr HResult kDispETypemismatch = 0x80020005;
inline constexpr HResult kErrorInstallFailure = 0x80070643;
inline constexpr HResult kWuSServiceStop = 0x00240001;
inline constexpr HResult kWuSSelfupdate = 0x00240002;
inline constexpr HResult kWuSUpdateError = 0x00240003;
inline constexpr HResult kWuSMarkedForDisconnect = 0x00240004;
inline constexpr HResult kWuSRebootRequired = 0x00240005;
inline constexpr HResult kWuSAlreadyInstalled = 0x00240006;
inline constexpr HResult kWuSAlreadyUninstalled = 0x00240007;
inline constexpr HResult kWuSAlreadyDownloaded = 0x00240008;
inline constexpr HResult kWuSSomeUpdatesSkippedOnBattery = 0x00240009;
inline constexpr HResult kWuSAlreadyReverted = 0x0024000A;
inline constexpr HResult kWuSSearchCriteriaNotSupported = 0x00240010;
inline constexpr HResult kWuSUhInstallstillpending = 0x00242015;
inline constexpr HResult kWuSUhDownloadSizeCalculated = 0x00242016;
inline constexpr HResult kWuSSihNoop = 0x00245001;
inline constexpr HResult kWuSDmAlreadydownloading = 0x00246001;
inline constexpr HResult kWuSMetadataSkippedByEnforcementmode = 0x00247101;
inline constexpr HResult kWuSMetadataIgnoredSignatureVerification = 0x00247102;
inline constexpr HResult kWuSSearchLoadShedding = 0x00248001;
inline constexpr HResult kWuSAadDeviceTicketNotNeeded = 0x00248002;
inline constexpr HResult kWuENoService = 0x80240001;
inline constexpr HResult kWuEMaxCapacityReached = 0x80240002;
inline constexpr HResult kWuEUnknownId = 0x80240003;
inline constexpr HResult kWuENotInitialized = 0x80240004;
inline constexpr HResult kWuERangeoverlap = 0x80240005;
inline constexpr HResult kWuEToomanyranges = 0x80240006;
inline constexpr HResult kWuEInvalidindex = 0x80240007;
inline constexpr HResult kWuEItemnotfound = 0x80240008;
inline constexpr HResult kWuEOperationinprogress = 0x80240009;
inline constexpr HResult kWuECouldnotcancel = 0x8024000A;
inline constexpr HResult kWuECallCancelled = 0x8024000B;
inline constexpr HResult kWuENoop = 0x8024000C;
inline constexpr HResult kWuEXmlMissingdata = 0x8024000D;
inline constexpr HResult kWuEXmlInvalid = 0x8024000E;
inline constexpr HResult kWuECycleDetected = 0x8024000F;
inline constexpr HResult kWuETooDeepRelation = 0x80240010;
inline constexpr HResult kWuEInvalidRelationship = 0x80240011;
inline constexpr HResult kWuERegValueInvalid = 0x80240012;
inline constexpr HResult kWuEDuplicateItem = 0x80240013;
inline constexpr HResult kWuEInvalidInstallRequested = 0x80240014;
inline constexpr HResult kWuEInstallNotAllowed = 0x80240016;
inline constexpr HResult kWuENotApplicable = 0x80240017;
inline constexpr HResult kWuENoUsertoken = 0x80240018;
inline constexpr HResult kWuEExclusiveInstallConflict = 0x80240019;
inline constexpr HResult kWuEPolicyNotSet = 0x8024001A;
inline constexpr HResult kWuESelfupdateInProgress = 0x8024001B;
inline constexpr HResult kWuEInvalidUpdate = 0x8024001D;
inline constexpr HResult kWuEServiceStop = 0x8024001E;
inline constexpr HResult kWuENoConnection = 0x8024001F;
inline constexpr HResult kWuENoInteractiveUser = 0x80240020;
inline constexpr HResult kWuETimeOut = 0x80240021;
inline constexpr HResult kWuEAllUpdatesFailed = 0x80240022;
inline constexpr HResult kWuEEulasDeclined = 0x80240023;
inline constexpr HResult kWuENoUpdate = 0x80240024;
inline constexpr HResult kWuEUserAccessDisabled = 0x80240025;
inline constexpr HResult kWuEInvalidUpdateType = 0x80240026;
inline constexpr HResult kWuEUrlTooLong = 0x80240027;
inline constexpr HResult kWuEUninstallNotAllowed = 0x80240028;
inline constexpr HResult kWuEInvalidProductLicense = 0x80240029;
inline constexpr HResult kWuEMissingHandler = 0x8024002A;
inline constexpr HResult kWuELegacyserver = 0x8024002B;
inline constexpr HResult kWuEBinSourceAbsent = 0x8024002C;
inline constexpr HResult kWuESourceAbsent = 0x8024002D;
inline constexpr HResult kWuEWuDisabled = 0x8024002E;
inline constexpr HResult kWuECallCancelledByPolicy = 0x8024002F;
inline constexpr HResult kWuEInvalidProxyServer = 0x80240030;
inline constexpr HResult kWuEInvalidFile = 0x80240031;
inline constexpr HResult kWuEInvalidCriteria = 0x80240032;
inline constexpr HResult kWuEEulaUnavailable = 0x80240033;
inline constexpr HResult kWuEDownloadFailed = 0x80240034;
inline constexpr HResult kWuEUpdateNotProcessed = 0x80240035;
inline constexpr HResult kWuEInvalidOperation = 0x80240036;
inline constexpr HResult kWuENotSupported = 0x80240037;
inline constexpr HResult kWuEWinhttpInvalidFile = 0x80240038;
inline constexpr HResult kWuETooManyResync = 0x80240039;
inline constexpr HResult kWuENoServerCoreSupport = 0x80240040;
inline constexpr HResult kWuESysprepInProgress = 0x80240041;
inline constexpr HResult kWuEUnknownService = 0x80240042;
inline constexpr HResult kWuENoUiSupport = 0x80240043;
inline constexpr HResult kWuEPerMachineUpdateAccessDenied = 0x80240044;
inline constexpr HResult kWuEUnsupportedSearchscope = 0x80240045;
inline constexpr HResult kWuEBadFileUrl = 0x80240046;
inline constexpr HResult kWuERevertNotAllowed = 0x80240047;
inline constexpr HResult kWuEInvalidNotificationInfo = 0x80240048;
inline constexpr HResult kWuEOutofrange = 0x80240049;
inline constexpr HResult kWuESetupInProgress = 0x8024004A;
inline constexpr HResult kWuEOrphanedDownloadJob = 0x8024004B;
inline constexpr HResult kWuELowBattery = 0x8024004C;
inline constexpr HResult kWuEInfrastructurefileInvalidFormat = 0x8024004D;
inline constexpr HResult kWuEInfrastructurefileRequiresSsl = 0x8024004E;
inline constexpr HResult kWuEInteractiveCallCancelled = 0x80240054;
inline constexpr HResult kWuEAuCallCancelled = 0x80240055;
inline constexpr HResult kWuESystemUnsupported = 0x80240056;
inline constexpr HResult kWuENoSuchHandlerPlugin = 0x80240057;
inline constexpr HResult kWuEInvalidSerializationVersion = 0x80240058;
inline constexpr HResult kWuENetworkCostExceedsPolicy = 0x80240059;
inline constexpr HResult kWuECallCancelledByHide = 0x8024005A;
inline constexpr HResult kWuECallCancelledByInvalid = 0x8024005B;
inline constexpr HResult kWuEInvalidVolumeid = 0x8024005C;
inline constexpr HResult kWuEUnrecognizedVolumeid = 0x8024005D;
inline constexpr HResult kWuEExtendederrorNotset = 0x8024005E;
inline constexpr HResult kWuEExtendederrorFailed = 0x8024005F;
inline constexpr HResult kWuEFiletrustSha2signatureMissing = 0x80240061;
inline constexpr HResult kWuEUpdateNotApproved = 0x80240062;
inline constexpr HResult kWuECallCancelledByInteractiveSearch = 0x80240063;
inline constexpr HResult kWuEInstallJobResumeNotAllowed = 0x80240064;
inline constexpr HResult kWuEInstallJobNotSuspended = 0x80240065;
inline constexpr HResult kWuEInstallUsercontextAccessdenied = 0x80240066;
inline constexpr HResult kWuEUnexpected = 0x80240FFF;
inline constexpr HResult kWuEPtCatalogSyncRequired = 0x80240436;
inline constexpr HResult kWuEMsiWrongVersion = 0x80241001;
inline constexpr HResult kWuEMsiNotConfigured = 0x80241002;
inline constexpr HResult kWuEMspDisabled = 0x80241003;
inline constexpr HResult kWuEMsiWrongAppContext = 0x80241004;
inline constexpr HResult kWuEMsiNotPresent = 0x80241005;
inline constexpr HResult kWuEMspUnexpected = 0x80241FFF;
inline constexpr HResult kWuEUhRemoteunavailable = 0x80242000;
inline constexpr HResult kWuEUhLocalonly = 0x80242001;
inline constexpr HResult kWuEUhUnknownhandler = 0x80242002;
inline constexpr HResult kWuEUhRemotealreadyactive = 0x80242003;
inline constexpr HResult kWuEUhDoesnotsupportaction = 0x80242004;
inline constexpr HResult kWuEUhWronghandler = 0x80242005;
inline constexpr HResult kWuEUhInvalidmetadata = 0x80242006;
inline constexpr HResult kWuEUhInstallerhung = 0x80242007;
inline constexpr HResult kWuEUhOperationcancelled = 0x80242008;
inline constexpr HResult kWuEUhBadhandlerxml = 0x80242009;
inline constexpr HResult kWuEUhCanrequireinput = 0x8024200A;
inline constexpr HResult kWuEUhInstallerfailure = 0x8024200B;
inline constexpr HResult kWuEUhFallbacktoselfcontained = 0x8024200C;
inline constexpr HResult kWuEUhNeedanotherdownload = 0x8024200D;
inline constexpr HResult kWuEUhNotifyfailure = 0x8024200E;
inline constexpr HResult kWuEUhInconsistentFileNames = 0x8024200F;
inline constexpr HResult kWuEUhFallbackerror = 0x80242010;
inline constexpr HResult kWuEUhToomanydownloadrequests = 0x80242011;
inline constexpr HResult kWuEUhUnexpectedcbsresponse = 0x80242012;
inline constexpr HResult kWuEUhBadcbspackageid = 0x80242013;
inline constexpr HResult kWuEUhPostrebootstillpending = 0x80242014;
inline constexpr HResult kWuEUhPostrebootresultunknown = 0x80242015;
inline constexpr HResult kWuEUhPostrebootunexpectedstate = 0x80242016;
inline constexpr HResult kWuEUhNewServicingStackRequired = 0x80242017;
inline constexpr HResult kWuEUhCalledBackFailure = 0x80242018;
inline constexpr HResult kWuEUhCustominstallerInvalidSignature = 0x80242019;
inline constexpr HResult kWuEUhUnsupportedInstallcontext = 0x8024201A;
inline constexpr HResult kWuEUhInvalidTargetsession = 0x8024201B;
inline constexpr HResult kWuEUhDecryptfailure = 0x8024201C;
inline constexpr HResult kWuEUhHandlerDisableduntilreboot = 0x8024201D;
inline constexpr HResult kWuEUhAppxNotPresent = 0x8024201E;
inline constexpr HResult kWuEUhNotreadytocommit = 0x8024201F;
inline constexpr HResult kWuEUhUnexpected = 0x80242FFF;
inline constexpr HResult kWuEInstallationResultsUnknownVersion = 0x80243001;
inline constexpr HResult kWuEInstallationResultsInvalidData = 0x80243002;
inline constexpr HResult kWuEInstallationResultsNotFound = 0x80243003;
inline constexpr HResult kWuETrayiconFailure = 0x80243004;
inline constexpr HResult kWuENonUiMode = 0x80243FFD;
inline constexpr HResult kWuEWucltuiUnsupportedVersion = 0x80243FFE;
inline constexpr HResult kWuEAuclientUnexpected = 0x80243FFF;
inline constexpr HResult kWuEPtSoapclientInitialize = 0x80244001;
inline constexpr HResult kWuEPtSoapclientOutofmemory = 0x80244002;
inline constexpr HResult kWuEPtSoapclientGenerate = 0x80244003;
inline constexpr HResult kWuEPtSoapclientConnect = 0x80244004;
inline constexpr HResult kWuEPtSoapclientSend = 0x80244005;
inline constexpr HResult kWuEPtSoapclientServer = 0x80244006;
inline constexpr HResult kWuEPtSoapclientSoapfault = 0x80244007;
inline constexpr HResult kWuEPtSoapclientParsefault = 0x80244008;
inline constexpr HResult kWuEPtSoapclientRead = 0x80244009;
inline constexpr HResult kWuEPtSoapclientParse = 0x8024400A;
inline constexpr HResult kWuEPtSoapServer = 0x8024400E;
inline constexpr HResult kWuEPtExceededMaxServerTrips = 0x80244010;
inline constexpr HResult kWuEPtSusServerNotSet = 0x80244011;
inline constexpr HResult kWuEPtDoubleInitialization = 0x80244012;
inline constexpr HResult kWuEPtInvalidComputerName = 0x80244013;
inline constexpr HResult kWuEPtRefreshCacheRequired = 0x80244015;
inline constexpr HResult kWuEPtFileLocationsChanged = 0x80244025;
inline constexpr HResult kWuEPtRegistrationNotSupported = 0x80244026;
inline constexpr HResult kWuEPtNoAuthCookiesCreated = 0x80244028;
inline constexpr HResult kWuEPtInvalidConfigProp = 0x80244029;
inline constexpr HResult kWuEPtConfigPropMissing = 0x8024402A;
inline constexpr HResult kWuEPtHttpStatusNotMapped = 0x8024402B;
inline constexpr HResult kWuEPtWinhttpNameNotResolved = 0x8024402C;
inline constexpr HResult kWuEPtLoadShedding = 0x8024402D;
inline constexpr HResult kWuEPtEcpSucceededWithErrors = 0x8024402F;
inline constexpr HResult kWuEPtEcpInitFailed = 0x80244030;
inline constexpr HResult kWuEPtEcpInvalidFileFormat = 0x80244031;
inline constexpr HResult kWuEPtEcpInvalidMetadata = 0x80244032;
inline constexpr HResult kWuEPtEndpointUnreachable = 0x80240438;
inline constexpr HResult kWuEPtUnexpected = 0x80244FFF;
inline constexpr HResult kWuERedirectorLoadXml = 0x80245001;
inline constexpr HResult kWuERedirectorSFalse = 0x80245002;
inline constexpr HResult kWuERedirectorIdSmaller = 0x80245003;
inline constexpr HResult kWuERedirectorUnknownService = 0x80245004;
inline constexpr HResult kWuERedirectorInvalidResponse = 0x80245006;
inline constexpr HResult kWuERedirectorSlsGenericError = 0x8024500B;
inline constexpr HResult kWuERedirectorConnectPolicy = 0x8024500C;
inline constexpr HResult kWuERedirectorOnlineDisallowed = 0x8024500D;
inline constexpr HResult kWuEPtSameRedirId = 0x8024502D;
inline constexpr HResult kWuEPtNoManagedRecover = 0x8024502E;
inline constexpr HResult kWuERedirectorUnexpected = 0x802450FF;
inline constexpr HResult kWuEDmUrlnotavailable = 0x80246001;
inline constexpr HResult kWuEDmIncorrectfilehash = 0x80246002;
inline constexpr HResult kWuEDmUnknownalgorithm = 0x80246003;
inline constexpr HResult kWuEDmNeeddownloadrequest = 0x80246004;
inline constexpr HResult kWuEDmNonetwork = 0x80246005;
inline constexpr HResult kWuEDmWrongbitsversion = 0x80246006;
inline constexpr HResult kWuEDmNotdownloaded = 0x80246007;
inline constexpr HResult kWuEDmFailtoconnecttobits = 0x80246008;
inline constexpr HResult kWuEDmBitstransfererror = 0x80246009;
inline constexpr HResult kWuEDmDownloadlocationchanged = 0x8024600A;
inline constexpr HResult kWuEDmContentchanged = 0x8024600B;
inline constexpr HResult kWuEDmDownloadlimitedbyupdatesize = 0x8024600C;
inline constexpr HResult kWuEDmUnauthorized = 0x8024600E;
inline constexpr HResult kWuEDmBgErrorTokenRequired = 0x8024600F;
inline constexpr HResult kWuEDmDownloadsandboxnotfound = 0x80246010;
inline constexpr HResult kWuEDmDownloadfilepathunknown = 0x80246011;
inline constexpr HResult kWuEDmDownloadfilemissing = 0x80246012;
inline constexpr HResult kWuEDmUpdateremoved = 0x80246013;
inline constexpr HResult kWuEDmReadrangefailed = 0x80246014;
inline constexpr HResult kWuEDmUnauthorizedNoUser = 0x80246016;
inline constexpr HResult kWuEDmFallingbacktobits = 0x8024601A;
inline constexpr HResult kWuEDmDownloadVolumeConflict = 0x8024601B;
inline constexpr HResult kWuEDmSandboxHashMismatch = 0x8024601C;
inline constexpr HResult kWuEDmDosvcRequired = 0x8024601E;
inline constexpr HResult kWuEDmUnexpected = 0x80246FFF;
inline constexpr HResult kWuEOlInvalidScanfile = 0x80247001;
inline constexpr HResult kWuEOlNewclientRequired = 0x80247002;
inline constexpr HResult kWuEServiceNotRegistered = 0x80247005;
inline constexpr HResult kWuEOlUnexpected = 0x80247FFF;
inline constexpr HResult kWuEMetadataBadSignature = 0x80247140;
inline constexpr HResult kWuEMetadataSignatureVerifyFailed = 0x80247142;
inline constexpr HResult kWuEMetadataCertUntrusted = 0x80247183;
inline constexpr HResult kWuEMetadataUnexpected = 0x80247105;
inline constexpr HResult kWuEDsShutdown = 0x80248000;
inline constexpr HResult kWuEDsInuse = 0x80248001;
inline constexpr HResult kWuEDsInvalid = 0x80248002;
inline constexpr HResult kWuEDsBadversion = 0x80248006;
inline constexpr HResult kWuEDsNodata = 0x80248007;
inline constexpr HResult kWuEDsMissingdata = 0x80248008;
inline constexpr HResult kWuEDsMissingref = 0x80248009;
inline constexpr HResult kWuEDsUnknownhandler = 0x8024800A;
inline constexpr HResult kWuEDsCantdelete = 0x8024800B;
inline constexpr HResult kWuEDsLocktimeoutexpired = 0x8024800C;
inline constexpr HResult kWuEDsNocategories = 0x8024800D;
inline constexpr HResult kWuEDsRowexists = 0x8024800E;
inline constexpr HResult kWuEDsStorefilelocked = 0x8024800F;
inline constexpr HResult kWuEDsCannotregister = 0x80248010;
inline constexpr HResult kWuEDsUnabletostart = 0x80248011;
inline constexpr HResult kWuEDsDuplicateupdateid = 0x80248013;
inline constexpr HResult kWuEDsUnknownservice = 0x80248014;
inline constexpr HResult kWuEDsServiceexpired = 0x80248015;
inline constexpr HResult kWuEDsDeclinenotallowed = 0x80248016;
inline constexpr HResult kWuEDsNeedwindowsservice = 0x80248019;
inline constexpr HResult kWuEDsInvalidoperation = 0x8024801A;
inline constexpr HResult kWuEDsResetrequired = 0x8024801C;
inline constexpr HResult kWuEDsImpersonated = 0x8024801D;
inline constexpr HResult kWuEDsDatanotavailable = 0x8024801E;
inline constexpr HResult kWuEDsDatanotloaded = 0x8024801F;
inline constexpr HResult kWuEDsNodataNosuchrevision = 0x80248020;
inline constexpr HResult kWuEDsNodataNosuchupdate = 0x80248021;
inline constexpr HResult kWuEDsNodataEula = 0x80248022;
inline constexpr HResult kWuEDsNodataService = 0x80248023;
inline constexpr HResult kWuEDsUnexpected = 0x80248FFF;
inline constexpr HResult kWuEAuNoservice = 0x8024A000;
inline constexpr HResult kWuEAuNonlegacyserver = 0x8024A002;
inline constexpr HResult kWuEAuLegacyclientdisabled = 0x8024A003;
inline constexpr HResult kWuEAuPaused = 0x8024A004;
inline constexpr HResult kWuEAuNoRegisteredService = 0x8024A005;
inline constexpr HResult kWuEAuDetectSvcidMismatch = 0x8024A006;
inline constexpr HResult kWuERebootInProgress = 0x8024A007;
inline constexpr HResult kWuEAuOobeInProgress = 0x8024A008;
inline constexpr HResult kWuEAuUnexpected = 0x8024AFFF;
inline constexpr HResult kWuEWutaskInprogress = 0x8024B001;
inline constexpr HResult kWuEWutaskStatusDisabled = 0x8024B002;
inline constexpr HResult kWuEWutaskNotStarted = 0x8024B003;
inline constexpr HResult kWuEWutaskRetry = 0x8024B004;
inline constexpr HResult kWuEWutaskCancelinstallDisallowed = 0x8024B005;
inline constexpr HResult kWuEDrvPruned = 0x8024C001;
inline constexpr HResult kWuEDrvNopropOrLegacy = 0x8024C002;
inline constexpr HResult kWuEDrvNoMetadata = 0x8024C004;
inline constexpr HResult kWuEDrvSyncFailed = 0x8024C006;
inline constexpr HResult kWuEDrvDeviceProblem = 0x8024C008;
inline constexpr HResult kWuEDrvUnexpected = 0x8024CFFF;
inline constexpr HResult kWuESelfupdateRequired = 0x8024D011;
inline constexpr HResult kWuESelfupdateRequiredAdmin = 0x8024D012;
inline constexpr HResult kWuESetupRebootrequired = 0x8024D00E;
inline constexpr HResult kWuESetupUnexpected = 0x8024DFFF;
inline constexpr HResult kWuEEeUnknownExpression = 0x8024E001;
inline constexpr HResult kWuEEeInvalidExpression = 0x8024E002;
inline constexpr HResult kWuEEeUnexpected = 0x8024EFFF;
inline constexpr HResult kWuEReporterEventcachecorrupt = 0x8024F001;
inline constexpr HResult kWuEServerBusy = 0x8024F004;
inline constexpr HResult kWuECallbackCookieNotFound = 0x8024F005;
inline constexpr HResult kWuEPtHttpStatusBadRequest = 0x80244016;
inline constexpr HResult kWuEPtHttpStatusDenied = 0x80244017;
inline constexpr HResult kWuEPtHttpStatusForbidden = 0x80244018;
inline constexpr HResult kWuEPtHttpStatusNotFound = 0x80244019;
inline constexpr HResult kWuEPtHttpStatusBadMethod = 0x8024401A;
inline constexpr HResult kWuEPtHttpStatusProxyAuthReq = 0x8024401B;
inline constexpr HResult kWuEPtHttpStatusRequestTimeout = 0x8024401C;
inline constexpr HResult kWuEPtHttpStatusConflict = 0x8024401D;
inline constexpr HResult kWuEPtHttpStatusGone = 0x8024401E;
inline constexpr HResult kWuEPtHttpStatusServerError = 0x8024401F;
inline constexpr HResult kWuEPtHttpStatusNotSupported = 0x80244020;
inline constexpr HResult kWuEPtHttpStatusBadGateway = 0x80244021;
inline constexpr HResult kWuEPtHttpStatusServiceUnavail = 0x80244022;
inline constexpr HResult kWuEPtHttpStatusGatewayTimeout = 0x80244023;
inline constexpr HResult kWuEPtHttpStatusVersionNotSup = 0x80244024;

}  // namespace hr
}  // namespace usher

#endif  // USHER_COMMON_HRESULT_H_
