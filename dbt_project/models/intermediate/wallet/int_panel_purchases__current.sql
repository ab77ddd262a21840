{{ current_rows("panel_purchases", ref("stg_panel_purchases__purchases")) }}
