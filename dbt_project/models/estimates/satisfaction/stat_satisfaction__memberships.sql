{# The segments a counted response belongs to that need no estimate: all, how and where it was asked, tier, attributes. #}
with
    responses as (
        select * from {{ ref("fct_survey_responses") }} where not is_duplicate
    ),

    customer_segments as (
        select * from {{ ref("dim_customer_segments") }} where segment_by != 'all'
    ),

    attributes as (select distinct segment_by from customer_segments),

    customer_values as (
        select *
        from {{ ref("fct_customer_value_windows") }}
        where window_number = 0 and order_count > 0
    ),

    memberships as (
        select response_key, 'all' as segment_by, 'all' as segment
        from responses
        union all
        select response_key, 'mode' as segment_by, mode as segment
        from responses
        union all
        -- people give better scores when they are asked face to face or by voice
        select
            response_key,
            'interviewer' as segment_by,
            case
                when mode in ('phone', 'on_site')
                then 'with'
                when mode in ('mail', 'web')
                then 'without'
            end as segment
        from responses
        union all
        select response_key, 'touchpoint' as segment_by, touchpoint as segment
        from responses
        union all
        -- answers without a name are in `unknown`, so that segments add up to all
        select
            responses.response_key,
            'tier' as segment_by,
            coalesce(customer_values.tier, 'unknown') as segment
        from responses
        left join
            customer_values on responses.customer_key = customer_values.customer_key
        where responses.respondent_type = 'customer'
        union all
        select
            responses.response_key,
            attributes.segment_by,
            coalesce(customer_segments.segment, 'unknown') as segment
        from responses
        cross join attributes
        left join
            customer_segments
            on responses.customer_key = customer_segments.customer_key
            and attributes.segment_by = customer_segments.segment_by
        where responses.respondent_type = 'customer'
    ),

    final as (
        select *
        from memberships
        -- an unknown way of asking counts as none
        where segment is not null
    )

select *
from final
