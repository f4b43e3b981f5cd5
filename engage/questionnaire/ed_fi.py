"""The digital-equity elements of Ed-Fi Data Standard 5.2 and their exact code values.

Source: the descriptor files of the standard (StudentEducationOrganizationAssociation). The first element is a boolean.
"""

ELEMENTS: dict[str, tuple[str, ...]] = {
    "InternetAccessInResidence": ("true", "false"),
    "BarrierToInternetAccessInResidence": ("Not Available", "Not Affordable", "Not Desired", "Other"),
    "InternetAccessTypeInResidence": (
        "Residential Broadband",
        "Cellular Network",
        "Hot Spot",
        "Community Provided Wi-Fi",
        "Satellite",
        "Dial-up",
        "Other",
        "None",
        "Unknown",
    ),
    "InternetPerformanceInResidence": ("Yes", "Sometimes", "No"),
    "PrimaryLearningDeviceAwayFromSchool": (
        "Desktop Computer",
        "Laptop Computer",
        "Tablet",
        "Chromebook",
        "Smartphone",
        "None",
        "Other",
    ),
    "PrimaryLearningDeviceAccess": ("Shared", "Not Shared", "Unknown"),
    "PrimaryLearningDeviceProvider": ("Personal", "School", "Other"),
}
