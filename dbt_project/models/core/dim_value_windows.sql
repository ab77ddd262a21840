{# The current value window, and the one of the same length before it where the data reach back so far. #}
{%- set months = var("value_window_months") | int -%}
with
    as_of as (select * from {{ ref("dim_as_of") }}),

    windows as (
        select
            0 as window_number,
            {{ window_start("as_of.as_of", months) }} as start_date,
            as_of.as_of as end_date,
            as_of.data_start_date
        from as_of
        {% if months > 0 %}
            union all
            select
                1 as window_number,
                {{ add_months("as_of.as_of", -2 * months) }} as start_date,
                {{ add_months("as_of.as_of", -months) }} as end_date,
                as_of.data_start_date
            from as_of
        {% endif %}
    ),

    final as (
        select
            window_number,
            start_date,
            end_date,
            -- a shop may be closed on the first days of the window
            window_number = 0
            or coalesce(
                data_start_date <= {{ add_days("start_date", 7) }}, false
            ) as is_observed
        from windows
        where end_date is not null
    )

select *
from final
