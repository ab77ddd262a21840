"""The page of the warehouse in Airflow's UI, as Airflow finds it in its folder of plugins."""

from airflow.plugins_manager import AirflowPlugin

from loyalty.operate.airflow.page import MOUNTED_AT, Page, address


class LoyaltyPage(AirflowPlugin):
    """`Loyalty` and `Loyalty report` in the menu of Airflow."""

    name = "loyalty"
    fastapi_apps = ({"app": Page(), "url_prefix": MOUNTED_AT, "name": "Loyalty warehouse"},)
    external_views = (
        {"name": "Loyalty", "href": address("/"), "url_route": "loyalty", "destination": "nav"},
        {"name": "Loyalty report", "href": address("/report"), "url_route": "loyalty-report", "destination": "nav"},
    )
